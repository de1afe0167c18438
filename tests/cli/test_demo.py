import typer
from typer.testing import CliRunner

from medprompt_cli.cli.app import ReportingGroup
from medprompt_cli.cli.demo import demo

RUNNER = CliRunner()

app = typer.Typer(cls=ReportingGroup)
app.callback()(lambda: None)
app.command("demo")(demo)


def test_it_says_what_it_wrote_and_what_to_do_next(tmp_path):
    folder = tmp_path / "demo"

    shown = RUNNER.invoke(
        app, ["demo", str(folder), "--subjects", "1", "--sessions", "1", "--small"]
    )

    assert shown.exit_code == 0, shown.output
    assert shown.stdout.splitlines() == [
        f"{folder}: 2 images; where everything is: {folder}/derivatives/truth",
        f"Next: medprompt segment {folder} OUT -p all",
    ]
    assert (folder / "sub-01/ses-01/anat/sub-01_ses-01_FLAIR.nii.gz").is_file()


def test_a_folder_in_use_exits_with_2(tmp_path):
    (tmp_path / "notes.txt").touch()

    shown = RUNNER.invoke(app, ["demo", str(tmp_path)])

    assert shown.exit_code == 2
    assert shown.stderr == (
        f"Error: {tmp_path} is not empty: it holds notes.txt.\n"
        "Try: Give a folder that is new or empty.\n"
    )
