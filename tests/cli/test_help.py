"""Help: in groups, on one screen; and what is said of what is misspelt."""

import click
import pytest
from click.testing import CliRunner
from training.commands import run

from maskforge import plugins
from maskforge.cli import _choices, _help, cli

WIDTH, LINES = 100, 50

NAMES = cli.list_commands(click.Context(cli))


def helped(*arguments: str, width: int = WIDTH) -> str:
    done = CliRunner().invoke(cli, arguments, prog_name="maskforge", terminal_width=width)
    assert done.exit_code == 0, done.output
    return done.output


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def options(name: str) -> list[click.Option]:
    return [one for one in command(name).params if isinstance(one, click.Option)]


@pytest.mark.parametrize("arguments", [[], *([name] for name in NAMES)], ids=str)
def test_help_fits_one_screen(arguments):
    lines = helped(*arguments, "--help").splitlines()
    assert len(lines) < LINES  # the last line is the prompt's
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize("name", NAMES)
def test_help_tells_the_common_options_and_help_all_every_one(name):
    few = helped(name, "--help")
    rare = [one for one in options(name) if one.rare]
    for one in options(name):
        assert (f"  {one.opts[0]}" in few) is not one.rare, one.opts
    assert ("--help-all" in few) is bool(rare)
    if rare:
        every = helped(name, "--help-all")
        assert [one.opts for one in options(name) if f"  {one.opts[0]}" not in every] == []
        assert all(group.capitalize() + ":" in every for group in {one.group for one in rare})


@pytest.mark.parametrize("name", NAMES)
def test_groups_are_known_and_come_from_the_options(name):
    assert {one.group for one in options(name)} <= set(_help.GROUPS)
    told = helped(name, "--help-all" if any(one.rare for one in options(name)) else "--help")
    heads = [line[:-1] for line in told.splitlines() if line.endswith(":") and line[0] != " "]
    order = [group[0].upper() + group[1:] for group in _help.GROUPS]
    assert heads == sorted(heads, key=order.index)


def test_the_groups_of_settings_are_in_their_metadata():
    labelme = {one.name: (one.group, one.rare) for one in options("labelme")}
    assert labelme["labels"] == ("classes", False)
    assert labelme["rule"] == ("drawing", False)
    assert labelme["line_width"] == ("what is read", False)
    assert labelme["max_pixels"] == ("what is read", True)
    assert labelme["ray_address"] == ("run", True)
    train = {one.name: (one.group, one.rare) for one in options("train")}
    assert train["network"] == ("network", False)
    assert train["minutes"] == ("schedule", False)
    assert train["rotate"] == ("augmentation", True)
    assert train["map"] == ("classes", True)


def test_the_whole_width_of_a_terminal_is_used(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "160")
    assert run("labelme", "--help-all") == 0
    assert 140 < max(map(len, capsys.readouterr().out.splitlines())) <= 160


def test_commands_stand_in_the_order_of_the_road():
    readers = [name for name in plugins.names("readers") if name != "masks"]
    assert [
        *("annotate", "convert", *readers, "masks", "inspect"),
        *("train", "evaluate", "predict", "background", "export"),
        *("list", "doctor", "completion"),
    ] == NAMES
    told = helped("--help")
    places = [told.index(f"\n  {name} ") for name in NAMES]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lableme"], "there is no command 'lableme'; did you mean labelme?"),
        (["qqq"], "there is no command 'qqq'\n"),
        (["--versions"], "there is no option '--versions'; did you mean --version?"),
        (["labelme", ".", "--ruel", "coco"], "no option '--ruel'; did you mean --rule?"),
        (["labelme", ".", "--qqq"], "there is no option '--qqq'\n"),
        (["labelme", ".", "--rule", "cocoo"], "pixel-center, but got 'cocoo'; did you mean coco?"),
        (["labelme", ".", "--style", "yellow-purple"], "did you mean purple-yellow?"),
        (["labelme", ".", "--style", "#zz"], "'--style': a colour must be written #rrggbb"),
        (["predict", "a.pt", "b", "-o", "c", "--style", "palettes"], "did you mean palette?"),
        (["train", "nowhere", "--network", "unett"], "did you mean unet?"),
        (["train", "nowhere", "--loss", "ce+dicee"], "but got 'ce+dicee'; did you mean dice?"),
        (["train", "nowhere", "--preset", "quik"], "did you mean quick?"),
        (["train", "nowhere", "--schedule", "cosin"], "did you mean cosine?"),
        (["train", "nowhere", "--size", "big"], "or full, but got 'big'"),
        (["train", "nowhere", "--scale", "2"], "two factors such as 0.75,1.5, but got 2"),
        (["train", "nowhere", "--lr", "1e9"], "--lr must be within"),
        (["train", "nowhere", "--epochs", "1", "--steps", "1"], "--epochs, --steps and --minutes"),
        (["labelme", ".", "--line-width", "-1"], "--line-width must be above 0"),
        (["labelme", ".", "--resume", "--overwrite"], "--overwrite and --resume contradict"),
        (["ochuman", "--filter", "segm,kp"], "did you mean segm&kpt?"),
        (["list", "networkz"], "did you mean networks?"),
    ],
)
def test_a_wrong_word_is_refused_before_anything_is_read(tmp_path, monkeypatch, arguments, said):
    if arguments[0] == "train":
        pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 2 or done.exception is not None
    told = done.output + str(done.exception)
    assert said in told


def test_an_option_of_the_network_is_looked_up_before_the_data(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    assert run("train", "nowhere", "--option", "wdith=16") == 2
    said = capsys.readouterr().err
    assert "the options of unet, width, depth, stride, norm, upsampling, but got 'wdith=16'" in said
    assert "did you mean width?" in said


@pytest.mark.parametrize("spelled", ["segm&kpt", "segm+kpt", "segm,kpt"])
def test_both_filters_need_no_quotes(spelled):
    context = command("ochuman").make_context("ochuman", ["--filter", spelled])
    assert context.params["filter"] == "segm&kpt"


@pytest.mark.parametrize("name", _choices.LISTS)
def test_list_has_a_line_for_each_choice(name):
    lines = helped("list", name).splitlines()
    assert len(lines) == len(_choices.LISTS[name][1]())
    assert all(len(line.split(maxsplit=1)[1]) > 3 for line in lines)


def test_list_alone_lists_all():
    told = helped("list")
    for name in _choices.LISTS:
        assert f"{name} (" in told
    assert "smp:ARCH:ENCODER" in told
    assert "  unet " in told
    assert "  lovasz " in told


def test_what_is_listed_is_what_is_there():
    pytest.importorskip("torch")
    from maskforge.training import losses
    from maskforge.training.presets import PRESETS

    assert list(_choices.losses()) == list(losses.LOSSES)
    assert list(_choices.LISTS["presets"][1]()) == list(PRESETS)


def test_help_says_where_choices_are_listed():
    for name, listed in (
        ("train", ("networks", "losses", "presets")),
        ("labelme", ("rules", "writers", "layouts", "styles")),
    ):
        told = " ".join(helped(name, "--help").split())
        assert [one for one in listed if f"see maskforge list {one})" not in told] == []
