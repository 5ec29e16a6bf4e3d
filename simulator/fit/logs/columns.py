"""What the columns of every known kind of export are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of export: what its columns are called, by role, and which it cannot lack.

    needs: groups of roles, of each group one at least. without: columns, as `key_of` has them,
    that make it another kind.
    """

    name: str
    needs: tuple[tuple[str, ...], ...]
    columns: Mapping[str, tuple[str, ...]]
    without: tuple[str, ...] = ()
    what: str = ""


# Of deals in several currencies, and of programs that keep cents: the column that is one of money.
CONVERTED = (
    "Amount (converted)",
    "Amount in company currency",
    "hs_amount_in_home_currency",
    "amount_in_home_currency",
    "Amount (USD)",
    "Amount (EUR)",
    "Amount (GBP)",
    "value_formatted",
    "Amount (Base)",
    "Est. Revenue (Base)",
    "Actual Revenue (Base)",
    "Estimated Revenue (Base)",
)
# Of deals that are closed it is mostly the day they were; of open ones a guess.
EXPECTED = (
    "Expected Close Date",
    "Forecast Close Date",
    "Est. Close Date",
    "Estimated Close Date",
    "Expected Closing",
    "expected_close_date",
    "Deal - Expected close date",
    "Target Close Date",
)
_OPPORTUNITY: dict[str, tuple[str, ...]] = {
    "case": (
        "Id", "Opportunity ID", "Opportunity ID (18)", "opportunity_id", "deal_id", "Record ID",
        "Deal ID", "hs_object_id", "(Do Not Modify) Opportunity", "opportunity_number",
        "Copper ID",
    ),
    "name": (
        "Name", "Opportunity Name", "Deal Name", "dealname", "Deal", "Opportunity", "Topic",
        "Deal Title", "Deal - Title", "Title",
    ),
    "account": ("Account Name", "AccountId", "Account ID"),
    "stage": (
        "StageName", "Stage", "deal_stage", "dealstage", "Deal Stage", "stage_name",
        "Sales Stage", "Pipeline Stage", "Opportunity Stage", "Deal - Stage", "Pipeline Phase",
        "stepname", "Phase", "stage_id", "Current Stage", "status_label", "PipelineCurrentStage",
    ),
    "created": (
        "CreatedDate", "Created Date", "created_date", "create_date", "created", "engage_date",
        "created_at", "open_date", "Create Date", "start_date", "Deal created",
        "Deal - Deal created", "add_time", "Created Time", "Created On", "Date Created",
        "Creation Date", "opened_at", "Date Opened", "Opened", "Date Added", "Added On",
        "Created Date Time",
    ),
    "state": (
        "Status", "Deal - Status", "deal_status", "Deal Status", "statecode",
        "status_type", "OpportunityState", "Opportunity Status",
    ),
    "won_at": ("Deal - Won time", "won_time", "date_won", "Won time"),
    "lost_at": ("Deal - Lost time", "lost_time", "date_lost", "Lost time"),
    "close": (
        "Actual Close Date", "Actual Closed Date", "actualclosedate", "CloseDate", "Close Date",
        "close_date", "closed_date", "closedate", "closed_at",
        "won_date", "Deal - Deal closed on", "Deal closed on", "close_time",
        "Closing Date", "Date Closed", "Closed On", "Closed Time", "end_date", "Completed Date",
        *EXPECTED,
    ),
    "snapshot": (
        "Snapshot Date", "Snapshot", "As Of Date", "As of", "Report Date", "Snapshot_Date__c",
    ),
    "changed": ("LastStageChangeDate", "Last Stage Change Date", "last_stage_change_date"),
    "lasted": ("Stage Duration", "stage_duration"),
    "closed": ("IsClosed", "Closed", "is_closed", "hs_is_closed", "Is Deal Closed?"),
    "won": ("IsWon", "Won", "is_won", "hs_is_closed_won", "Is Closed Won"),
    "lost": ("hs_is_closed_lost", "Is Closed Lost", "IsLost", "Is Lost", "is_lost"),
    "amount": (
        *CONVERTED, "Amount", "close_value", "deal_value", "value", "amount_usd", "ACV", "ARR",
        "Actual Revenue", "actualvalue", "Est. Revenue", "Estimated Revenue", "estimatedvalue",
        "Deal Amount", "Opportunity Amount", "Contract Value", "Total Amount", "OpportunityValue",
        "Expected Revenue",
    ),
    "owner": (
        "OwnerId", "Opportunity Owner", "Owner", "owner_id", "sales_agent", "sales_rep", "rep",
        "Deal owner", "hubspot_owner_id", "deal_owner", "Owner Name", "Salesperson",
        "Account Executive", "Assigned To", "Assigned User", "Responsible",
        "Owned By", "Sales owner", "user_name", "Assigned User Name", "ResponsibleUser", "Person",
    ),
    "channel": (
        "LeadSource", "Lead Source", "lead_source", "channel", "source", "origin",
        "Original Source", "hs_analytics_source", "Original Traffic Source", "Deal Source",
        "Source channel", "Deal - Source channel", "utm_source",
    ),
    "deleted": ("IsDeleted", "Deleted", "is_deleted"),
    "reason": (
        "Loss Reason", "Lost Reason", "Closed Lost Reason", "Loss_Reason__c", "Lost_Reason__c",
        "closed_lost_reason", "Reason Lost", "Reason_Lost__c", "loss_reason", "lost_reason",
        "Deal - Lost reason", "Reason For Loss", "Reason for closed lost", "Status Reason",
    ),
    "won_reason": (
        "Closed Won Reason", "closed_won_reason", "Won Reason", "won_reason", "Win Reason",
        "Reason Won", "Deal - Won reason",
    ),
    "probability": (
        "Probability", "Probability (%)", "Deal probability", "hs_deal_stage_probability",
        "Deal - Probability", "Deal stage probability", "Win Probability", "win_probability",
        "Close Probability", "closeprobability",
    ),
    "forecast": ("ForecastCategory", "ForecastCategoryName", "Forecast Category"),
}  # fmt: skip

EVENTS = Kind(
    "event log",
    (("case",), ("activity",), ("time", "start", "end")),
    {
        "case": (
            "case", "case_id", "caseid", "case:concept:name", "case id", "trace", "trace_id",
            "case number", "_CASE_KEY", "ticket_id", "issue_key", "process_instance",
        ),
        "activity": (
            "activity", "concept:name", "activity_name", "event", "event_name", "task", "step",
            "ACTIVITY_EN", "task_name", "action",
        ),
        "lifecycle": (
            "lifecycle", "lifecycle:transition", "transition", "lifecycle_transition",
            "event_type",
        ),
        "time": ("time:timestamp", "timestamp", "time", "event_time", "datetime", "date"),
        "scheduled": (
            "scheduled", "enabled", "enabled_time", "schedule_time", "queued", "ready_time",
            "enable_time", "scheduled_time",
        ),
        "start": ("start", "start_time", "start_timestamp", "started", "begin", "start date"),
        "end": (
            "end", "end_time", "end_timestamp", "complete", "complete_time", "completed",
            "complete timestamp", "completion_time", "finish", "end date",
        ),
        "resource": (
            "resource", "org:resource", "user", "agent", "employee", "performer", "person", "who",
            "owner", "user_name", "actor", "performed_by", "handled_by", "assignee",
        ),
        "worked": ("hours", "worked_hours", "effort_hours", "time_spent", "hours_worked"),
        "created": ("created", "case:created", "reg_date", "case:reg_date", "case_created"),
        "channel": ("channel", "case:channel", "source", "lead_source", "leadsource", "origin"),
        "amount": (
            "amount", "case:amount", "amount_req", "case:amount_req", "value", "deal_value",
        ),
    },
    what="case, activity, and a timestamp or start and end",
)  # fmt: skip
CALLS = Kind(
    "queue records",
    (("arrival",), ("outcome", "agent"), ("wait", "queue_end", "start")),
    {
        "case": ("call_id", "callid", "ticket_id", "ticket", "id", "contact_id", "call"),
        "date": ("date", "day", "call_date"),
        "arrival": (
            "vru_entry", "arrival", "arrived", "arrival_time", "call_start", "enqueue_time",
            "enqueued", "queue_entry", "offered", "call_time", "arrival_timestamp", "created",
            "initiation_timestamp", "call_datetime", "call_date_time", "call_start_time",
            "contact_start_time", "interaction_start", "call_timestamp", "time",
        ),
        "menu_end": ("vru_exit", "ivr_exit", "ivr_end", "menu_end"),
        "queue_start": ("q_start", "queue_start", "queued_at"),
        "queue_end": ("q_exit", "queue_exit", "queue_end", "dequeued"),
        "wait": (
            "q_time", "wait", "wait_time", "waiting_time", "queue_time", "wait_seconds", "waited",
            "wait_sec", "wait_s", "wait_minutes", "wait_min", "time_in_queue", "waittime",
            "speed_of_answer", "speed of answer in seconds", "queue_seconds", "queue_duration",
            "wait_duration", "time_to_answer",
        ),
        "outcome": (
            "outcome", "disposition", "result", "abandoned", "status", "hangup", "answered",
            "answered (y/n)", "call_status", "call_outcome", "call_result",
        ),
        "start": ("ser_start", "service_start", "answered_at", "answer_time", "service_begin"),
        "end": ("ser_exit", "service_end", "call_end", "service_exit", "ended_at"),
        "service": (
            "ser_time", "service", "service_time", "handle_time", "talk_time", "aht",
            "service_seconds", "service_sec", "service_s", "service_minutes", "duration",
            "talk_duration", "AvgTalkDuration", "call_duration", "handling_time",
            "conversation_time", "talk_seconds", "handle_seconds",
        ),
        "agent": ("server", "agent", "agent_id", "operator", "agent_name", "answered_by"),
        "channel": (
            "type", "queue", "skill", "call_type", "service_type", "channel", "queue_name",
            "topic",
        ),
    },
    what="arrival, wait, outcome, service time and agent",
)  # fmt: skip
FIELD_HISTORY = Kind(
    "field history",
    (("case", "lead", "name"), ("field",), ("stage",), ("time",)),
    {
        "case": (
            "OpportunityId", "Opportunity ID", "Deal ID", "Ticket ID", "Issue Key", "Issue ID",
            "Case ID", "Case Number", "Ticket", "Record ID", "Key",
        ),
        "lead": ("LeadId", "Lead ID"),
        "name": ("Opportunity Name", "Deal Name"),
        "field": (
            "Field", "Field / Event", "Field Name", "Field changed", "Property", "Property name",
            "Attribute",
        ),
        "old": (
            "OldValue", "Old Value", "Previous Value", "From String", "Old", "From",
        ),
        "stage": ("NewValue", "New Value", "To String", "New", "To"),
        "time": (
            "Edit Date", "Change Date", "Changed At", "Changed On", "Update - Timestamp",
            "Updated At", "Modified Time", "Timestamp", "CreatedDate", "Created Date", "Created",
        ),
        "created": ("Created", "Created Date", "Issue Created", "Case Created"),
        "who": (
            "CreatedById", "Created By ID", "Edited By", "Changed By", "Author", "Updater Name",
            "Modified By", "Updated By", "Created By", "User",
        ),
        "deleted": ("IsDeleted",),
    },
    what="a case's id, Field, OldValue, NewValue, and the date of the change",
)  # fmt: skip
STAGE_REPORT = Kind(
    "stage report",
    (("case", "name"), ("to",), ("time",)),
    {
        **{k: v for k, v in _OPPORTUNITY.items() if k not in {"stage", "case"}},
        "case": ("Opportunity ID", "Opportunity ID (18)", "OpportunityId"),
        "from": ("From Stage",),
        "to": ("To Stage",),
        "time": ("Edit Date", "Last Modified", "Last Modified Date", "Stage Change Date"),
        "who": ("Edited By", "Last Modified By"),
        "stage": ("Stage", "StageName"),
    },
    what="Opportunity Name, From Stage, To Stage, Edit Date",
)
STAGE_HISTORY = Kind(
    "stage history",
    (("case", "name"), ("stage",), ("time",)),
    {
        "case": ("OpportunityId", "Opportunity ID", "deal_id", "opportunity_id"),
        "name": ("Deal Name",),
        "stage": ("StageName", "Stage", "To Stage", "stage"),
        "time": (
            "Edit Date", "Snapshot Date", "As Of Date", "changed_at", "entered", "change_date",
            "Modified Time", "Changed On", "entered_at", "stage_entered_at", "Date Entered",
            "moved_at", "CreatedDate", "Created Date", "Timestamp",
        ),
        "who": ("CreatedById", "Created By", "changed_by", "Modified By", "Moved By"),
        "probability": ("Probability", "Probability (%)"),
        "forecast": ("ForecastCategory", "Forecast Category"),
        "deleted": ("IsDeleted",),
    },
    without=(
        "isclosed", "iswon", "leadsource", "ownerid", "opportunityname", "accountname",
        "opportunityowner", "field",
    ),
    what="OpportunityId, StageName, CreatedDate: a row a save",
)  # fmt: skip
LEADS_SALESFORCE = Kind(
    "Salesforce leads",
    (("case",), ("created",), ("converted", "converted_on", "opportunity")),
    {
        "case": ("Id", "Lead ID", "LeadId"),
        "created": ("CreatedDate", "Created Date", "Create Date"),
        "converted": ("IsConverted", "Converted"),
        "converted_on": ("ConvertedDate", "Converted Date"),
        "opportunity": ("ConvertedOpportunityId", "Converted Opportunity ID", "Opportunity ID"),
        "status": ("Status", "Lead Status"),
        "owner": ("OwnerId", "Lead Owner", "Owner"),
        "channel": ("LeadSource", "Lead Source"),
        "deleted": ("IsDeleted",),
        "name": ("Company", "Company / Account", "Name"),
        "reason": ("Loss Reason", "Loss_Reason__c", "Disqualified Reason", "Unqualified Reason"),
        "closed_on": ("LastStatusChangeDate", "Disqualified Date", "Closed Date"),
    },
    without=("stagename",),
    what="Id, CreatedDate, IsConverted, ConvertedDate, ConvertedOpportunityId",
)
HUBSPOT = Kind(
    "HubSpot deals",
    (("created", "entered"), ("stage",), ("entered",)),
    {
        **_OPPORTUNITY,
        "stage": (*_OPPORTUNITY["stage"], "Lifecycle Stage", "lifecyclestage"),
        "owner": (*_OPPORTUNITY["owner"], "Contact owner"),
        "status": ("Lead Status", "hs_lead_status"),
        "pipeline": ("Pipeline", "pipeline"),
    },
    what='Record ID, Deal Stage, Create Date, Date entered "{Stage} ({Pipeline})"',
)
OPPORTUNITIES = Kind(
    "opportunities",
    (("case", "name"), ("stage",), ("created", "close")),
    _OPPORTUNITY,
    what="Id, StageName, CreatedDate, CloseDate",
)
TRACKER = Kind(
    OPPORTUNITIES.name,
    OPPORTUNITIES.needs,
    {**_OPPORTUNITY, "stage": ("Status", "Deal Status", "state")},
    without=("whatid", "whoid", "activitydate"),
    what="a deal's name, its status, and a date",
)
DEALS = Kind(
    "deals",
    (("case",), ("won_on",)),
    {
        "case": ("mql_id", "lead_id", "lead id", "leadid", "converted_lead_id", "contact_id"),
        "won_on": (
            "won_date", "close_date", "closed_date", "closedate", "close date", "won_at",
            "won_on", "closed_at", "closed_on", "signed_at", "signed_on", "signed_date",
            "contract_date", "contract_signed_on", "order_date", "purchase_date",
        ),
        "amount": ("amount", "deal_value", "deal value", "close_value", "value"),
        "owner": (
            "sr_id", "sales_rep", "rep_id", "ae_id", "owner_id", "ownerid", "deal owner", "sdr_id",
        ),
    },
    what="the lead's id and the date it was won",
)  # fmt: skip
LEADS = Kind(
    "leads",
    (("case",), ("created",)),
    {
        "case": ("mql_id", "lead_id", "lead id", "email", "record id", "contact_id", "id"),
        "created": (
            "first_contact_date", "lead_date", "created_date", "createddate", "create date",
            "created", "created_at", "date", "created_on", "date_created", "signup_date",
            "signed_up_at", "signup_ts", "signup_at", "registered_at", "submitted_at",
            "inquiry_date", "lead_created_at",
        ),
        "channel": (
            "origin", "channel", "lead_source", "leadsource", "original source", "source",
            "utm_source",
        ),
        "owner": ("owner_id", "owner", "sdr_id", "lead owner"),
    },
    without=(
        "stagename", "closedate", "isclosed", "iswon", "accountid", "opportunityname", "whatid",
        "whoid", "activitydate",
    ),
    what="a lead's id and the date of first contact",
)  # fmt: skip
KINDS: tuple[Kind, ...] = (
    FIELD_HISTORY, STAGE_REPORT, LEADS_SALESFORCE, STAGE_HISTORY, HUBSPOT, EVENTS, CALLS,
    OPPORTUNITIES, DEALS, LEADS, TRACKER,
)  # fmt: skip
ROLES: tuple[str, ...] = tuple(dict.fromkeys(role for kind in KINDS for role in kind.columns))
