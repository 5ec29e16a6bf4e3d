"""One figure of a saved result, in somebody's colours, and the commands around it."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from made_results import (
    backtested,
    comparison,
    constraint,
    curve,
    curves,
    isoquants,
    many_worlds,
    sought,
    squared,
    standing,
    tornado,
    watched,
)
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text
from test_deck import folders

from simulator.cli import main
from simulator.errors import DataError, SpecError
from simulator.report import decided, kept, write
from simulator.report.figures import FIGURES, style
from simulator.report.figures.brand import (
    COLOURS,
    EASY,
    LEAST_DIFFERENCE,
    TOLD_APART,
    Brand,
    brand_of,
    contrast,
    dark,
    darken,
    difference,
    recolour,
)
from simulator.report.figures.export import SIZES, export, find
from simulator.report.figures.panel import panel
from simulator.report.figures.picture import png
from simulator.report.gallery import HEAD, drawn, studies
from simulator.report.revive import KINDS, revive
from simulator.report.saved import of, read

MADE = {
    "backtest": backtested, "comparison": comparison, "constraint": watched, "curve": curve,
    "curves": curves, "isoquant": isoquants, "robustness": standing, "seek": sought,
    "sensitivity": tornado, "worlds": many_worlds,
}  # fmt: skip
IN_GALLERY = [
    (kind, name)
    for kind in ("comparison", "curve", "constraint", "robustness")
    for name in FIGURES[kind]
    if name not in ("migration", "heads", "capability", "delivery", "two_by_two")
]
ALL = [(kind, name) for kind in FIGURES for name in FIGURES[kind]]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return folders(tmp_path_factory.mktemp("results"))


def on_axes(axes) -> tuple[list[str], list[np.ndarray]]:
    """Everything that is drawn: texts, and the numbers of lines, patches and areas."""
    words, parts = [t.get_text() for t in axes.texts], [on_axes(a) for a in axes.child_axes]
    for axis in (axes.xaxis, axes.yaxis):
        words += [axis.label.get_text(), *(t.get_text() for t in axis.get_majorticklabels())]
    shapes = [np.asarray(x.get_xydata()) for x in axes.lines]
    shapes += [p.get_path().vertices @ p.get_patch_transform().get_matrix()[:2, :2].T
               for p in axes.patches]  # fmt: skip
    shapes += [p.vertices for c in axes.collections for p in c.get_paths()]
    shapes += [np.array([axes.get_xlim(), axes.get_ylim()])]
    words += [w for more, _ in parts for w in more]
    return words, [*shapes, *(s for _, more in parts for s in more)]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_figure_of_what_was_saved_is_the_same(kind, name):
    """What is drawn of the file is what is drawn of the result."""
    result = squared() if name == "two_by_two" else MADE[kind]()
    plot = FIGURES[kind][name]
    (saved,) = of(result)
    again = revive(saved)
    assert plot.when(again) == plot.when(result)
    assert plot.title(again) == plot.title(result)
    with style.look():
        (words, shapes), (said, drawn) = (
            on_axes(plot(r, Figure(figsize=style.SIZE).add_subplot())) for r in (result, again)
        )
    assert said == words
    assert len(drawn) == len(shapes) > 1
    for ours, theirs in zip(drawn, shapes, strict=True):
        size = np.nanmax(np.abs(theirs), initial=0.0)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9 * size)


def test_every_kind_with_figures_is_drawn_of_what_was_saved():
    assert set(KINDS) == set(FIGURES)


def test_a_figure_that_an_answer_has_nothing_for(tmp_path):
    (saved,) = of(constraint())
    for name, why in (("migration", "with --path BUDGET"), ("shifting_bottleneck", "watched")):
        with pytest.raises(DataError, match=f"has nothing for '{name}': .*{why}"):
            export(name, saved, tmp_path / "a.png", "png", "half")
    assert not list(tmp_path.iterdir())


def test_answers_of_an_older_version_say_what_to_do():
    (saved,) = of(isoquants())
    old = {k: v for k, v in saved.data.items() if k not in ("surface", "currency", "weeks")}
    with pytest.raises(DataError, match=r"isoquant is not whole .*run the question again"):
        revive(replace(saved, data=old))
    with pytest.raises(DataError, match="a run has no figures; those that have are of backtest"):
        revive(replace(saved, kind="run"))


def test_what_is_kept_is_what_results_have():
    from simulator.analysis import (
        absorption,
        active,
        compare,
        confirm,
        efforts,
        isoquant,
        ledger,
        paired,
        path,
        prim,
        ranges,
        ranking,
        robust,
        seek,
        sensitivity,
        sobol,
        targets,
        worlds,
    )  # fmt: skip
    from simulator.analysis import constraint as constraint_module
    from simulator.analysis import curve as curve_module
    from simulator.fit.logs import scored, trial
    from simulator.vocabulary import YEAR

    assert kept.YEAR == YEAR
    homes = {
        "Comparison": compare, "Arm": compare, "Verdict": compare, "Curve": curve_module,
        "Point": curve_module, "Knee": curve_module, "Constraint": constraint_module,
        "Candidate": constraint_module, "Absorption": absorption, "Section": ledger,
        "Difference": paired, "Bottleneck": active, "Span": active, "Step": path, "Path": path,
        "Target": targets, "Condition": confirm, "Confirmed": confirm, "Lone": seek,
        "Sought": seek, "Range": ranges, "Bar": sensitivity, "Sensitivity": sensitivity,
        "Split": sobol, "Stand": robust, "Robustness": robust, "Box": prim, "Limit": prim,
        "Worlds": worlds, "Curves": efforts, "Isoquant": isoquant, "RidgePoint": isoquant,
        "Weekly": trial, "Origin": trial, "Trial": trial, "TrialResult": scored,
    }  # fmt: skip
    assert ranking.Candidate is constraint_module.Candidate
    # What JSON keeps in place of what the other is made of.
    other = {"Constraint": {"told"}, "Confirmed": {"moved"}, "Box": {"sound"},
             "Worlds": {"bins"}, "Isoquant": {"heights"}}  # fmt: skip
    for name, module in homes.items():
        ours = getattr(kept, name, None) or getattr(decided, name)
        theirs = getattr(module, name)
        mine = set(ours.__dataclass_fields__) | {m for m in vars(ours) if not m.startswith("_")}
        has = set(theirs.__dataclass_fields__) | set(dir(theirs))
        assert mine - other.get(name, set()) <= has, name


@pytest.mark.parametrize(
    ("ending", "size"),
    [("png", "16:9"), ("png", "4:3"), ("png", "half"), ("svg", "half"), ("pdf", "4:3")],
)
def test_formats_and_sizes(results, ending, size, tmp_path):
    (saved,) = read(results[:1])
    path = export("equal_spend", saved, tmp_path / f"a.{ending}", ending, size)
    first = path.read_bytes()
    assert first.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending])
    if ending == "svg":
        export("equal_spend", saved, path, ending, size)
        assert path.read_bytes() == first
    if ending == "png":
        tall, wide = imread(path).shape[:2]
        assert wide / tall == pytest.approx(SIZES[size][0] / SIZES[size][1], rel=0.01)
    assert style.SIZE == (13.33, 7.5)


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("soffice") or shutil.which("inkscape")), reason="nothing here makes emf"
)
def test_emf(results, tmp_path):
    (saved,) = read(results[:1])
    path = export("arr", saved, tmp_path / "a.emf", "emf", "16:9")
    assert path.read_bytes()[40:44] == b" EMF"


def test_emf_where_nothing_makes_it(results, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (saved,) = read(results[:1])
    with pytest.raises(DataError, match="emf needs Inkscape or LibreOffice"):
        export("arr", saved, tmp_path / "a.emf", "emf", "16:9")
    assert not (tmp_path / "a.emf").exists()


def test_figures_by_name(results):
    answers = read(results)
    assert find("capacity_heat", answers).kind == "comparison"
    assert find("constraint.capacity_heat", answers).kind == "constraint"
    with pytest.raises(DataError, match=r"no figure is called 'nope'; there are comparison\.abs"):
        find("nope", answers)


def test_brand_colours_are_drawn():
    brand = Brand({"push": "#8b1e3f", "fix": "#1b4965"})
    axes = FIGURES["comparison"]["equal_spend"](comparison())
    recolour(axes.figure, brand)
    colours = {to_hex(line.get_color()) for line in axes.lines}
    assert {"#8b1e3f", "#1b4965"} <= colours
    assert to_hex(style.VERMILLION) not in colours
    letters = {to_hex(t.get_color()) for t in axes.texts}
    assert letters <= {dark("#8b1e3f"), dark("#1b4965"), to_hex(style.INK)}


def test_our_own_colours_can_be_told_apart():
    for a in TOLD_APART:
        assert contrast(COLOURS[a]) >= 3.0
        for b in TOLD_APART:
            for sight in ("usual colour vision", "protanopia", "deuteranopia", "tritanopia"):
                assert a == b or difference(COLOURS[a], COLOURS[b], sight) >= LEAST_DIFFERENCE


def test_a_picture_on_a_dark_slide():
    """The slide's own background, and letters that are read on it; cells keep their colours."""
    figure = Figure()
    FIGURES["constraint"]["capacity_heat"](constraint(), figure.add_subplot())
    cells = [t for a in figure.axes for t in a.texts if t.get_label() == style.STAYS]
    before = [t.get_color() for t in cells]
    darken(figure, "#14213d")
    assert to_hex(figure.get_facecolor()) == "#14213d"
    others = [t for t in figure.findobj(Text) if t.get_label() != style.STAYS]
    assert all(contrast(to_hex(t.get_color()), "#14213d") >= EASY for t in others)
    assert cells
    assert [t.get_color() for t in cells] == before
    (saved,) = of(constraint())
    dark = imread(panel("constraint", "capacity_heat", saved, 6, 4, ground="#14213d"))
    assert to_hex(dark[0, 0]) == "#14213d"


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000") == pytest.approx(21.0)
    assert contrast("#777777") == pytest.approx(4.48, abs=0.01)  # WCAG's own example of a near miss
    assert contrast(dark("#FFEE00")) >= 4.5


def test_colours_that_some_do_not_see():
    # Red and green of equal lightness: the textbook's pair.
    said = " ".join(Brand({"push": "#c04000", "fix": "#6a7a00"}).warnings)
    assert "push (#c04000) and fix (#6a7a00) are hard to tell apart" in said
    assert "opia" in said
    assert "contrast with white is 1" in " ".join(Brand({"other": "#ffee88"}).warnings)
    assert Brand().warnings == []
    assert "'No Such Font' is not installed" in Brand(fonts=("No Such Font",)).warnings[0]


def test_style_files(tmp_path):
    yaml = tmp_path / "s.yaml"
    yaml.write_text(
        "colours: {push: '#8B1E3F'}\nfonts: [Georgia]\nmatplotlib: {axes.linewidth: 2}\n"
    )
    assert brand_of(yaml) == Brand({"push": "#8b1e3f"}, ("Georgia",), {"axes.linewidth": 2.0})
    plain = tmp_path / "s.mplstyle"
    plain.write_text("# ours\naxes.linewidth: 3  # thick\n")
    assert brand_of(plain).settings == {"axes.linewidth": 3.0}
    pptx = pytest.importorskip("pptx")
    pptx.Presentation().save(str(tmp_path / "t.pptx"))
    found = brand_of(tmp_path / "t.pptx")
    assert found.colours["fix"] == "#4f81bd"
    assert found.fonts == ("Calibri",)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("s.yaml", "colours: {sky: '#123456'}", "s.yaml:1: colours.sky: nothing has that colour"),
        ("s.yaml", "\ncolours: {push: reddish}", "s.yaml:2: colours.push: 'reddish' is no colour"),
        ("s.yaml", "colors: {push: red}", "s.yaml:1: colors: is not part of a style"),
        ("s.yaml", "matplotlib: {text.usetex: true}", "s.yaml:1: text.usetex: may not be set here"),
        ("s.yaml", "matplotlib: {axes.linewidth: fat}", "s.yaml:1: axes.linewidth: "),
        ("s.mplstyle", "backend: agg", "s.mplstyle:1: backend: may not be set here"),
        ("s.mplstyle", "no setting", "s.mplstyle:1: 'no setting' is no setting"),
        ("s.pptx", "no deck", "s.pptx: has no theme that can be read"),
    ],
)
def test_style_files_that_are_wrong(name, text, says, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises((DataError, SpecError)) as error:
        brand_of(tmp_path / name)
    assert says in str(error.value)
    with pytest.raises(DataError, match="cannot be read"):
        brand_of(tmp_path / "absent.yaml")


# ---------------------------------------------------------------- the command line


def call(*args: object):
    return CliRunner().invoke(main, [str(a) for a in args])


def test_commands_of_the_board(results, tmp_path):
    pytest.importorskip("pptx")
    path, page, figure = (tmp_path / n for n in ("b.pptx", "p.html", "f.svg"))
    done = call("deck", *results, "--out", path, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["slides"][0]["slide"] == "answer"
    done = call("deck", *results, "--refresh", path)
    assert "is up to date; nothing was changed" in done.stdout
    done = call("deck", *results, "--names")
    assert "\nfix.gain: 4.0%" in done.stdout
    assert json.loads(call("deck", *results, "--names", "--json").stdout)["study"] == "a-study"
    done = call("report", *results, "--out", page)
    assert done.exit_code == 0, done.stderr
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    done = call("figure", "arr", results[0], "--out", figure)
    assert (done.exit_code, done.stdout) == (0, f"{figure}\n")
    assert figure.read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("deck", "R"), 2, "Say one of --out, --refresh and --names."),
        (("deck", "R", "--out", "a.pptx", "--refresh", "b.pptx"), 2, "Say one of"),
        (("deck", "R", "--refresh", "b.pptx", "--template", "c.pptx"), 2, "--template goes with"),
        (("figure", "arr", "R", "--out", "a.gif"), 2, "no format 'gif'"),
        (("figure", "arr", "R", "--size", "huge"), 2, "half"),
        (("figure", "nope", "R"), 1, "no figure is called 'nope'"),
        (("deck", "nowhere", "--out", "a.pptx"), 1, "nowhere: cannot be read"),
        (("report", "R"), 2, "--out"),
    ],
)
def test_command_lines_that_are_wrong(results, args, code, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call(*(results[0] if a == "R" else a for a in args))
    assert done.exit_code == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_demo_with_a_deck(tmp_path, monkeypatch):
    pytest.importorskip("pptx")
    from simulator.report import deck
    from simulator.report.demo import Demo

    write(Demo({"compare": comparison(), "curve": curve()}), tmp_path, figures=False)
    assert deck.board(tmp_path).path == tmp_path / "board.pptx"
    deck.board(tmp_path)
    assert (tmp_path / "board.backup.pptx").is_file()


def test_the_gallery(root):
    """Its page shows every figure of every study, and nothing is missing."""
    assert {s.name for s in studies()} == {
        p.parent.name for p in (root / "scenarios").glob("*/today.yaml")
    }
    page = (root / "docs" / "gallery.md").read_text(encoding="utf-8")
    for study in studies():
        for kind, name in IN_GALLERY:
            path = f"gallery/{study.name}-{kind}-{name}.png"
            assert f"]({path})" in page
            assert (root / "docs" / path).is_file()
    assert HEAD.partition("{")[0] in page
    pictures = drawn(curve(), "curve")
    assert [n for n, _, _ in pictures] == list(FIGURES["curve"])
    assert pictures[0][2].startswith(b"\x89PNG")


def test_numbers_that_are_null_are_not_known():
    assert np.isnan(kept.number(None))
    assert kept.numbers([1, None])[0] == 1.0


def test_a_saved_result_that_is_not_whole(results, tmp_path):
    data = json.loads((results[0] / "result.json").read_text())
    del data["arms"][1]["hours"]["teams"]["desk0"]["paid"]
    file = Path(tmp_path / "r.json")
    file.write_text(json.dumps(data))
    with pytest.raises(DataError, match=r"r\.json: the comparison is not whole .*run the question"):
        revive(read([file])[0])


def test_commands_of_the_documentation_are_real(root):
    text = (root / "docs" / "decks.md").read_text(encoding="utf-8")
    text = re.sub(r"^```yaml\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    blocks = "".join(re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    examples = re.findall(r"^growthsim (\w+)(.*)$", blocks, re.MULTILINE)
    assert {"deck", "figure", "report", "demo"} <= {command for command, _ in examples}
    for command, line in examples:
        options = {o for p in main.commands[command].params for o in p.opts}
        assert set(re.findall(r"--[\w-]+", line)) <= options, line


def test_names_of_the_documentation_are_real(root, results):
    from simulator.report import deck

    pytest.importorskip("pptx")
    text = (root / "docs" / "decks.md").read_text(encoding="utf-8")
    asked = set(re.findall(r"\{\{([\w.]+)\}\}", text)) - {"names"}
    keys = {"effort", "fix.nrr"}  # a chart's; a metric that a study of its own may lack
    assert asked - keys <= set(deck.names(results))


def test_a_figure_is_drawn_once(tmp_path, monkeypatch):
    """Laid out twice (labels follow the ticks of the new places), drawn into its file once."""
    from matplotlib.axes import Axes
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    counted = dict.fromkeys(("drawn", "laid out"), 0)

    def count(what, call):
        def counting(*args, **how):
            counted[what] += 1
            return call(*args, **how)

        return counting

    monkeypatch.setattr(Axes, "draw", count("drawn", Axes.draw))
    execute = ConstrainedLayoutEngine.execute
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", count("laid out", execute))
    (saved,) = of(curve())
    export("absorption_curve", saved, tmp_path / "a.png", "png", "16:9")
    assert counted == {"drawn": 1, "laid out": 2}


def test_a_png_is_what_savefig_makes():
    """The same picture, and the figure is left as it was."""
    figure = Figure(layout="constrained", facecolor="#EEEEEE")
    axes = figure.add_subplot()
    axes.plot([1, 2, 4])
    axes.set_ylabel("a long label\nin two lines")
    engine = figure.get_layout_engine()
    held = io.BytesIO()
    with style.look():
        figure.savefig(held, dpi=90)
        made = png(figure, 90)
    held.seek(0)
    assert (figure.dpi, figure.get_layout_engine()) == (100, engine)
    np.testing.assert_array_equal(imread(io.BytesIO(made)), imread(held))


def test_a_look_is_matplotlibs_own_but_for_what_it_sets():
    """Whatever the user has set; it comes back. A machine's settings stay."""
    import matplotlib as mpl

    with mpl.rc_context({"lines.linewidth": 9.0, "axes.grid": True, "timezone": "Europe/Paris"}):
        with style.look(settings={"axes.linewidth": 3.0}):
            seen = dict(mpl.rcParams)
            with mpl.rc_context():
                mpl.rcdefaults()
                usual = dict(mpl.rcParams)
        assert mpl.rcParams["lines.linewidth"] == 9.0
    ours = {"font.family", "font.size", "text.color", "axes.labelcolor", "xtick.color",
            "ytick.color", "svg.hashsalt", "axes.linewidth"}  # fmt: skip
    assert {k for k in usual if usual[k] != seen[k]} == ours
    assert (seen["timezone"], seen["axes.linewidth"]) == ("Europe/Paris", 3.0)


def test_a_process_without_solids_has_them_back_later():
    script = (
        "import gc, sys\n"
        "from simulator.cli.light import light\n"
        "with light():\n"
        "    import matplotlib.figure\n"
        "    assert not gc.isenabled()\n"
        "assert gc.isenabled()\n"
        "assert not any('mplot3d' in m for m in sys.modules)\n"
        "from mpl_toolkits.mplot3d import Axes3D\n"
        "with light():\n"
        "    assert 'mpl_toolkits.mplot3d' in sys.modules\n"
        "assert sys.modules['mpl_toolkits.mplot3d'].Axes3D is Axes3D"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_figure_is_a_light_process(tmp_path):
    """No engine, no compiler, no reader of tables is loaded to draw what was saved."""
    write(isoquants(), tmp_path / "r", figures=False)
    script = (
        "import sys; from simulator.cli import main\n"
        f"main(['figure', 'isoquant', {str(tmp_path / 'r')!r}, '--out', "
        f"{str(tmp_path / 'a.png')!r}], standalone_mode=False)\n"
        "print([m for m in ('numba', 'scipy', 'pandas', 'simpy', 'pydantic', 'SALib', 'pyarrow',"
        " 'simulator.engines', 'simulator.system', 'pydantic_core', 'matplotlib.pyplot',"
        " 'matplotlib.style', 'mpl_toolkits.mplot3d', 'rich', 'pptx') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
