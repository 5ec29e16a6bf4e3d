"""What reports in other languages call the columns that `columns` has in English.

German, French, Spanish, Italian, Portuguese and Dutch, as Salesforce's and HubSpot's own pages and
their users have them. Compared as all names are: letters and digits only, without accents.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulator.fit.tables import key_of

_LABELS: Mapping[str, tuple[str, ...]] = {
    "Opportunity ID": (
        "Verkaufschancen-ID", "ID der Opportunity", "ID de l'opportunité", "ID d'opportunité",
        "ID opportunité", "Id. de la oportunidad", "Id. de oportunidad", "ID oportunidad",
        "ID da oportunidade", "ID oportunidade", "ID opportunità", "Opportunity-id",
    ),
    "Record ID": (
        "Datensatz-ID", "ID de l'enregistrement", "ID de fiche d'informations", "ID de registro",
        "ID record", "ID do registro", "Record-id",
    ),
    "Deal ID": ("Deal-ID", "ID de la transaction", "ID del negocio", "ID do negócio"),
    "Lead ID": (
        "Lead-ID", "ID de la piste", "ID du lead", "Id. del candidato", "Id. de candidato",
        "ID de prospecto", "ID do lead", "ID lead",
    ),
    "Opportunity Name": (
        "Name der Opportunity", "Opportunityname", "Verkaufschance", "Nom de l'opportunité",
        "Nom d'opportunité", "Nombre de la oportunidad", "Nombre de oportunidad",
        "Nome da oportunidade", "Nome opportunità", "Naam opportunity", "Naam van opportunity",
    ),
    "Deal Title": ("Titel", "Deal-Titel", "Titre", "Título", "Titolo"),
    "Status": ("Statut", "Estado", "Stato"),
    "Deal created": ("Deal erstellt", "Deal erstellt am", "Affaire créée", "Trato creado",
                     "Negócio criado"),
    "Won time": ("Gewonnen am", "Gewonnen um", "Zeitpunkt gewonnen", "Gagné le", "Ganado el",
                 "Vinto il", "Ganho em", "Gewonnen op"),
    "Lost time": ("Verloren am", "Verloren um", "Zeitpunkt verloren", "Perdu le", "Perdido el",
                  "Perso il", "Perdido em", "Verloren op"),
    "Expected Close Date": (
        "Erwartetes Abschlussdatum", "Voraussichtliches Abschlussdatum",
        "Date de clôture prévue", "Fecha prevista de cierre", "Fecha de cierre prevista",
        "Data di chiusura prevista", "Data de fechamento esperada", "Verwachte sluitingsdatum",
    ),
    "Deal Name": (
        "Nom de la transaction", "Nombre del negocio", "Nome do negócio", "Nome affare",
    ),
    "Account Name": (
        "Accountname", "Name des Accounts", "Kundenname", "Nom du compte", "Nom de compte",
        "Nombre de la cuenta", "Nombre de cuenta", "Nome da conta", "Nome account",
        "Naam account",
    ),
    "Stage": (
        "Phase", "Verkaufsphase", "Opportunity-Phase", "Étape", "Phase de vente", "Etapa", "Fase",
        "Fase de ventas", "Estágio", "Fase opportunità", "Vertriebsphase",
    ),
    "Deal Stage": (
        "Deal-Phase", "Phase de la transaction", "Étape de la transaction", "Etapa del negocio",
        "Etapa do negócio", "Fase dell'affare", "Fase affare", "Dealfase",
    ),
    "From Stage": (
        "Von Phase", "Aus Phase", "De l'étape", "Depuis l'étape", "De etapa", "Desde etapa",
        "De la etapa", "Da fase", "Do estágio", "Van fase",
    ),
    "To Stage": (
        "Zu Phase", "Nach Phase", "In Phase", "À l'étape", "Vers l'étape", "A etapa",
        "Hasta etapa", "A la etapa", "A fase", "Para estágio", "Naar fase",
    ),
    "Created Date": (
        "Erstelldatum", "Erstellt am", "Erstellungsdatum", "Datum der Erstellung", "Anlagedatum",
        "Date de création", "Créé le", "Créée le", "Fecha de creación", "Creado el",
        "Data de criação", "Criado em", "Data di creazione", "Data creazione", "Aanmaakdatum",
        "Gemaakt op", "Datum aangemaakt",
    ),
    "Close Date": (
        "Schlusstermin", "Schlussdatum", "Abschlussdatum", "Geschlossen am", "Abschlusstermin",
        "Date de clôture", "Date de fermeture", "Fermée le", "Fecha de cierre", "Cerrado el",
        "Data de fechamento", "Data de encerramento", "Data chiusura", "Data di chiusura",
        "Sluitingsdatum", "Sluitdatum", "Einddatum",
    ),
    "Edit Date": (
        "Bearbeitungsdatum", "Bearbeitet am", "Geändert am", "Änderungsdatum",
        "Date de modification", "Modifié le", "Fecha de edición", "Fecha de modificación",
        "Data da edição", "Data de edição", "Data di modifica", "Data modifica",
        "Bewerkingsdatum", "Wijzigingsdatum",
    ),
    "Edited By": (
        "Bearbeitet von", "Geändert von", "Modifié par", "Editado por", "Modificado por",
        "Modificato da", "Bewerkt door", "Gewijzigd door",
    ),
    "Last Stage Change Date": (
        "Datum der letzten Phasenänderung", "Letzte Phasenänderung",
        "Date du dernier changement d'étape", "Fecha del último cambio de etapa",
        "Fecha de último cambio de etapa", "Data dell'ultima modifica della fase",
    ),
    "Stage Duration": (
        "Phasendauer", "Dauer der Phase", "Durée de l'étape", "Duración de la etapa",
        "Durata fase", "Duração do estágio", "Duur van fase",
    ),
    "Closed": (
        "Geschlossen", "Abgeschlossen", "Fermée", "Fermé", "Clôturée", "Clôturé", "Cerrada",
        "Cerrado", "Fechada", "Fechado", "Chiusa", "Chiuso", "Gesloten",
    ),
    "Won": (
        "Gewonnen", "Gagnée", "Gagné", "Remportée", "Ganada", "Ganado", "Ganha", "Ganho", "Vinta",
        "Vinto",
    ),
    "Amount": (
        "Betrag", "Wert", "Dealwert", "Umsatz", "Summe", "Auftragswert", "Volumen", "Montant",
        "Importe", "Monto", "Cantidad", "Valor", "Importo", "Ammontare", "Bedrag", "Waarde",
        "Quantia",
    ),
    "Opportunity Owner": (
        "Opportunity-Inhaber", "Opportunity-Besitzer", "Inhaber der Opportunity",
        "Besitzer der Opportunity", "Opportunityinhaber", "Inhaber", "Besitzer",
        "Propriétaire de l'opportunité", "Propriétaire d'opportunité", "Propriétaire",
        "Propietario de oportunidad", "Propietario de la oportunidad", "Propietario",
        "Proprietário da oportunidade", "Proprietário", "Titolare opportunità",
        "Proprietario opportunità", "Titolare", "Eigenaar opportunity", "Opportunity-eigenaar",
        "Eigenaar",
    ),
    "Deal owner": (
        "Zuständiger Mitarbeiter für Deal", "Für den Deal zuständiger Mitarbeiter",
        "Propriétaire de la transaction", "Propietario del negocio", "Proprietário do negócio",
        "Proprietario affare", "Dealeigenaar",
    ),
    "Lead Owner": (
        "Lead-Inhaber", "Lead-Besitzer", "Propriétaire de la piste", "Propriétaire du lead",
        "Propietario del candidato", "Propietario del prospecto", "Titolare lead",
        "Proprietário do lead", "Leadeigenaar", "Eigenaar lead",
    ),
    "Lead Source": (
        "Lead-Quelle", "Leadquelle", "Leadursprung", "Quelle", "Herkunft", "Origine de la piste",
        "Source de la piste", "Origine du lead", "Source du lead", "Origen del candidato",
        "Origen del prospecto", "Fuente del candidato", "Fuente de posible cliente",
        "Origen de posible cliente", "Toma de contacto", "Origem do lead", "Origine lead",
        "Fonte lead", "Fonte del lead", "Leadbron", "Bron van lead",
    ),
    "Original Source": (
        "Originalquelle", "Ursprüngliche Quelle", "Source d'origine", "Source originale",
        "Fuente original", "Fonte original", "Fonte originale", "Oorspronkelijke bron",
    ),
    "Probability (%)": (
        "Wahrscheinlichkeit (%)", "Probabilité (%)", "Probabilidad (%)", "Probabilidade (%)",
        "Probabilità (%)", "Waarschijnlijkheid (%)",
    ),
    "Forecast Category": (
        "Prognosekategorie", "Vorhersagekategorie", "Catégorie de prévision",
        "Categoría de previsión", "Categoría de pronóstico", "Categoria de previsão",
        "Categoria previsione", "Prognosecategorie",
    ),
    "Loss Reason": (
        "Verlustgrund", "Grund für Verlust", "Grund des Verlusts", "Ablehnungsgrund",
        "Motif de perte", "Raison de la perte", "Motif de la perte", "Motivo de pérdida",
        "Motivo de la pérdida", "Razón de pérdida", "Motivo da perda", "Motivo perdita",
        "Motivo della perdita", "Reden verlies", "Reden van verlies",
    ),
    "Lead Status": (
        "Lead-Status", "Statut de la piste", "Statut du lead", "Estado del candidato",
        "Estado del prospecto", "Status do lead", "Stato lead", "Leadstatus",
    ),
    "Converted": (
        "Konvertiert", "Umgewandelt", "Converti", "Convertie", "Convertido", "Convertito",
        "Geconverteerd",
    ),
    "Converted Date": (
        "Konvertierungsdatum", "Konvertiert am", "Umwandlungsdatum", "Date de conversion",
        "Fecha de conversión", "Data da conversão", "Data di conversione", "Conversiedatum",
    ),
    "Pipeline": ("Pipeline de ventas", "Pipeline des transactions", "Canalización"),
    "Deleted": ("Gelöscht", "Supprimé", "Eliminado", "Excluído", "Eliminato", "Verwijderd"),
}  # fmt: skip
FOREIGN: Mapping[str, tuple[str, ...]] = {
    key_of(english): tuple(map(key_of, labels)) for english, labels in _LABELS.items()
}
"""A column's English name -> its names elsewhere, both as `key_of` has them."""
