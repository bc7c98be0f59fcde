"""The page about servers does what it says: its commands are run here, or it is said why they cannot be.

What lives here: the page's blocks and the image. Not here: the web page's door (tests/unit/test_door.py), what ends
`journeymart ui` (tests/e2e/test_web_page.py).
"""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

from assets.versions.rollback import rollback
from assets.versions.soundness import fault_within
from assets.versions.versions import current_version, list_versions
from orchestration.config.settings import PROJECT
from orchestration.config.sources_file import PublishKeys
from storage.data_folder import DataFolder
from storage.locks import data_lock
from tests.small_night import SmallNight, run

PAGE = (PROJECT / "docs" / "deployment.md").read_text(encoding="utf-8")
BLOCKS = {
    (heading, kind): body
    for section in PAGE.split("\n## ")[1:]
    for heading in [section.partition("\n")[0]]
    for kind, body in re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL)
}
RUN_HERE = {
    ("The web page and the schedule", "ini"),
    ("The web page and the schedule", "cron"),
    ("Backup and restore", "sh"),
}
LONG = os.environ.get("JOURNEYMART_CHAOS") == "long"
# Why a block is not run by a test.
NOT_RUN = {
    ("Who is let in", "nginx"): "nginx is no package of Python's; what it must hand on is asked of the door itself",
    ("In a container", "sh"): "podman and a registry of images are needed; what the image holds is run below instead",
    ("Versions in an object store", "yaml"): "the store it names is not ours; the key is read below",
    ("Versions in an object store", "json"): "rights are Amazon's to judge; the S3 server of the tests asks for none",
    ("A new release", "sh"): "the next release is not there yet; versions of the one before are read below",
}
# Versions as release 0.1 left them: two nights, see small_night.py.
OLDER = PROJECT / "tests" / "fixtures" / "versions_of_0.1.tar.xz"


def commands(heading: str) -> list[str]:
    """The commands of a section, in their order, whatever block they stand in."""
    section = PAGE.split(f"\n## {heading}\n")[1].partition("\n## ")[0]
    return [line for body in re.findall(r"```sh\n(.*?)```", section, re.DOTALL) for line in body.splitlines()]


def test_every_block_of_the_page_is_run_or_has_its_reason() -> None:
    assert {*BLOCKS} == RUN_HERE | {*NOT_RUN}
    assert not RUN_HERE & {*NOT_RUN}


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit of the page, with this checkout and this user in it."""
    text = BLOCKS["The web page and the schedule", "ini"]
    bin_folder = str(Path(sys.executable).parent)
    text = text.replace("/opt/journeymart/.venv/bin", bin_folder).replace("/opt/journeymart", str(tmp_path))
    file = tmp_path / "journeymart.service"
    file.write_text(text.replace("User=journeymart", f"User={os.getuid()}"), encoding="utf-8")
    return file


def test_the_unit_starts_the_page_as_its_own_user_and_closes_what_it_writes(unit: Path) -> None:
    said = configparser.ConfigParser(strict=False, interpolation=None)
    said.optionxform = str  # type: ignore[assignment,method-assign]
    said.read(unit, encoding="utf-8")
    assert said["Service"]["UMask"] == "0077"
    assert said["Service"]["Restart"] == "on-failure"
    program, *arguments = said["Service"]["ExecStart"].split()
    assert os.access(program, os.X_OK)
    assert arguments == ["ui"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd")
def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    about_it = [line for line in done.stderr.splitlines() if "journeymart" in line]
    assert (done.returncode, about_it) == (0, []), done.stderr


def test_the_line_for_cron_is_a_time_and_a_command_there_is() -> None:
    minute, hour, *days, variable, program, command = BLOCKS["The web page and the schedule", "cron"].split()
    assert (int(minute) < 60, int(hour) < 24, days) == (True, True, ["*", "*", "*"])
    assert variable.startswith("JOURNEYMART_COMPANY=")
    assert (Path(program).name, command) == ("journeymart", "run")


def test_the_store_of_the_page_is_one_that_a_company_file_may_name() -> None:
    said = yaml.safe_load(BLOCKS["Versions in an object store", "yaml"])
    assert PublishKeys(**said["publish"]).to == "s3://acme-cx/published"


@pytest.mark.skipif(shutil.which("flock") is None, reason="the page is about Linux")
def test_what_was_backed_up_is_restored_whole_and_the_next_night_builds_on_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "srv" / "acme" / "data")
    for number in (1, 2):
        run(folder, SmallNight(number, rows=50))
    history = tmp_path / "srv" / "acme" / ".dagster"
    history.mkdir()
    (history / "runs.db").touch()
    (tmp_path / "backup").mkdir()
    backup, extract, *ours = commands("Backup and restore")

    def here(command: str) -> list[str]:
        return command.replace("/srv", f"{tmp_path}/srv").replace("/backup", f"{tmp_path}/backup").split()

    with data_lock(folder):
        held = subprocess.run(["flock", "--nonblock", *here(backup)[1:]], check=False)
        assert held.returncode == 1, "a night is under way, and the backup does not wait for it"
    subprocess.run(here(backup), check=True)
    shutil.rmtree(tmp_path / "srv" / "acme")
    subprocess.run(here(extract), check=True)

    assert not history.exists()
    assert ours == ["journeymart doctor", "journeymart run"]
    versions = list_versions(folder)
    assert [fault_within(each.path, each.manifest) for each in versions] == [None, None]
    seen = current_version(folder)
    assert seen is not None
    assert seen.id == versions[-1].id
    assert run(folder, SmallNight(3, rows=50)).manifest.base == seen.id


@pytest.fixture
def older(tmp_path: Path) -> DataFolder:
    with tarfile.open(OLDER) as archive:
        archive.extractall(tmp_path / "data", filter="data")
    return DataFolder(tmp_path / "data")


def test_versions_of_the_release_before_are_sound_shown_rolled_back_to_and_a_base(older: DataFolder) -> None:
    first, second = list_versions(older)
    assert [fault_within(each.path, each.manifest) for each in (first, second)] == [None, None]
    assert rollback(older).id == first.id
    third = run(older, SmallNight(3, rows=50))
    assert third.manifest.base == second.id


def test_where_the_release_means_other_figures_the_next_night_builds_anew_beside_them(older: DataFolder) -> None:
    before = list_versions(older)
    anew = run(older, SmallNight(3, rows=50, fingerprint="e" * 64))
    assert anew.manifest.base is None
    assert [each.id for each in list_versions(older)] == [*(each.id for each in before), anew.id]
    assert rollback(older, before[-1].id).id == before[-1].id


def instructions() -> list[list[str]]:
    """The lines of the Containerfile, those that go on joined, in words."""
    text = (PROJECT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_is_made_as_make_install_makes_the_environment() -> None:
    (rule,) = re.findall(r"(?m)^\$\(STAMP\):.*\n((?:\t.*\n)+)", (PROJECT / "Makefile").read_text(encoding="utf-8"))
    wanted = re.findall(r"-m pip (install .*)", rule)
    asked = [
        command.strip().removeprefix(".venv/bin/python -m pip ").replace(" --no-cache-dir", "")
        for words in instructions()
        if words[0] == "RUN"
        for command in " ".join(words[1:]).split("&&")
        if " pip " in command
    ]
    assert asked == wanted


def test_the_image_is_somebody_of_its_own_named_by_its_release_and_says_how_it_is() -> None:
    said = instructions()
    assert [words[0] for words in said].count("FROM") == 1
    base = next(words[1] for words in said if words[0] == "FROM")
    assert re.fullmatch(r"docker\.io/library/python:3\.1[123]-slim-\w+", base)
    last_user = [words[1] for words in said if words[0] == "USER"][-1]
    assert int(last_user.split(":")[0]) > 0
    assert said.index(["USER", last_user]) < next(i for i, words in enumerate(said) if words[0] == "ENTRYPOINT")
    (health,) = (" ".join(words) for words in said if words[0] == "HEALTHCHECK")
    assert "http://127.0.0.1:3000/" in health
    assert ["VOLUME", "/srv/company"] in said


def test_the_image_holds_every_part_of_the_product_and_nothing_is_kept_from_it() -> None:
    copied = {name for words in instructions() if words[0] == "COPY" for name in words[1:-1]}
    packages = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    parts = {*packages["targets"]["wheel"]["packages"], "companies", "dbt_project", "dagster.yaml", "requirements.lock"}
    assert parts <= copied
    kept = {line[1:] for line in (PROJECT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    assert kept == copied


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """What the image would hold of the checkout, and nothing else; nobody may write there."""
    folder = tmp_path / "opt"
    folder.mkdir()
    kept_out = shutil.ignore_patterns("__pycache__", "target", "logs")
    for _, *names, target in (words for words in instructions() if words[0] == "COPY"):
        for name in names:
            to = folder if target == "./" else folder / target
            if (PROJECT / name).is_dir():
                shutil.copytree(PROJECT / name, to, ignore=kept_out)
            else:
                shutil.copy(PROJECT / name, to)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return folder


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.chaos
@pytest.mark.skipif(not LONG, reason="the long campaign runs under `make chaos`")
def test_the_image_holds_all_that_the_commands_need_and_they_write_to_the_company_folder_alone(
    image: Path, tmp_path: Path
) -> None:
    company = tmp_path / "company"
    before = listing(image)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(image),
        "PYTHONDONTWRITEBYTECODE": "1",
        "JOURNEYMART_COMPANY": str(company),
    }

    def journeymart(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "orchestration.cli", *arguments]
        return subprocess.run(command, cwd=image, env=environment, capture_output=True, text=True, check=False)

    assert journeymart("init", str(company)).returncode == 0
    done = journeymart("doctor", "--json")
    said = {each["what"]: each["health"] for each in json.loads(done.stdout)}
    assert {said["dagster"], said["dbt project"], said["company"], said["python"]} == {"ok"}, done.stdout
    assert listing(image) == before
