"""Tables of a company: put together with the product's, and a mistake in one is said with its file and line."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.build import build_defs
from orchestration.cli.company import make_company
from orchestration.cli.doctor import _sources
from orchestration.company.compose import Company, company_mistakes, compose, own_files, project_files, unread_files
from orchestration.company.rows import TableRow, as_csv, read_rows, together
from orchestration.company.tables import CompanyTable, TableColumn, load_tables
from orchestration.config.settings import PROJECT, Settings
from orchestration.config.setup import Setup
from orchestration.config.sources import load_sources
from quality.contract.files import systems
from storage.company_folder import SAMPLE, CompanyFolder
from storage.errors import JourneymartError

PRODUCT = PROJECT / "dbt_project"
SEEDS = PRODUCT / "seeds"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    (tmp_path / "acme" / "seeds").mkdir(parents=True)
    return Company(PRODUCT, CompanyFolder.at(tmp_path / "acme"))


def write(company: Company, name: str, text: str) -> Path:
    assert company.folder.root
    file = company.folder.root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_every_table_of_the_product_is_described_and_right() -> None:
    tables = load_tables(SEEDS)
    assert set(tables) == {path.stem for path in SEEDS.glob("*.csv")}
    assert company_mistakes(Company(PRODUCT, CompanyFolder(Path("none.yml"), None))) == []


@pytest.mark.parametrize(
    ("text", "said"),
    {
        "seeds:\n  - name: [mine\n": "mine.yml, line 3: this is not valid YAML: did not find expected ',' or ']'.",
        "seeds: # \x07\n": "mine.yml: it holds characters YAML forbids, or is not UTF-8 text: take them out",
        "seeds: 2026-02-30\n": "mine.yml: this is not valid YAML: day is out of range for month.",
        "- name: mine\n": "mine.yml: it does not describe tables: write `seeds:`, and below it `- name: TABLE`",
        "seeds: mine\n": "mine.yml: it does not describe tables",
        "seeds: [mine]\n": "mine.yml: it does not describe tables",
    }.items(),
)
def test_a_property_file_that_describes_no_tables_is_refused_in_a_sentence(
    company: Company, text: str, said: str
) -> None:
    write(company, "seeds/mine.yml", text)
    with pytest.raises(JourneymartError) as mistake:
        project_files(company)
    assert said in str(mistake.value)


@pytest.mark.parametrize("text", ["", "version: 2\n", "seeds:\n"])
def test_a_property_file_that_says_nothing_is_none(company: Company, text: str) -> None:
    write(company, "seeds/mine.yml", text)
    assert company_mistakes(company) == []


def test_what_a_company_breaks_down_by_is_named_to_dbt_after_the_products(company: Company) -> None:
    write(company, "seeds/kpi_dimensions.csv", "dimension,name,members,description\nregion,Region,words,Where it was\n")
    macro = project_files(company)[PurePosixPath("macros/kpi/kpi_dimensions.sql")]
    assert "'touchpoint', 'region']" in str(macro)


def test_which_stream_told_of_a_record_follows_from_what_its_mapping_reads(company: Company) -> None:
    """Of several streams it is the one that becomes the object, whichever is read first; a company's mapping, too."""
    mapping = "select * from {{ ref('stg_zendesk__helper') }} join {{ ref('stg_zendesk__users') }} using (id)"
    write(company, "models/staging/zendesk/int_order__zendesk.sql", mapping)
    text = str(project_files(company)[PurePosixPath("macros/canonical/mapped_streams.sql")])
    streams = ast.literal_eval(text[text.index("return(") + 7 : text.index(") }}")])
    assert streams["order"] == {
        "canonical": "order",
        "hubspot": "deals",
        "olist": "orders",
        "salesforce": "opportunity",
        "zendesk": "users",
    }
    assert streams["ticket"]["salesforce"] == "case" and streams["ticket"]["intercom"] == "conversations"
    assert streams["survey_answer"]["zendesk"] == "satisfaction_ratings"
    assert streams["account"]["zendesk"] == "organizations"


def test_what_a_kpi_leaves_out_is_told_without_a_vendors_name(company: Company) -> None:
    models = sorted((PRODUCT / "models" / "intermediate" / "kpi").glob("*.sql"))
    names = {f"'{system}'" for system in systems() if system != "canonical"}
    assert models
    assert [path.name for path in models if any(name in path.read_text(encoding="utf-8") for name in names)] == []


@pytest.mark.parametrize("folder", [SAMPLE, PROJECT / "companies" / "olist"])
def test_the_companies_that_come_with_the_product_are_right(folder: Path) -> None:
    company = CompanyFolder.at(folder)
    assert company_mistakes(Company(PRODUCT, company)) == []
    assert unread_files(company) == []


def test_what_a_company_leaves_out_claims_nothing() -> None:
    """No hours, no teams, no segments, no targets, no margins, no meaning of tags: none of them is the sample's."""
    claims = [name for name, table in load_tables(SEEDS).items() if (SAMPLE / "seeds" / f"{name}.csv").exists()]
    rows = {name: read_rows(load_tables(SEEDS)[name], SEEDS / f"{name}.csv") for name in claims}
    assert {"schedules", "team_schedules", "teams", "segments", "kpi_targets", "tag_conventions"} <= rows.keys()
    triggers = rows.pop("loop_targets")
    assert {row.values["respond_within_hours"] for row in triggers} == {""}
    assert [name for name, of_table in rows.items() if of_table] == []


TARGETS = "kpi,dimension,member,valid_from,target\n"
MISTAKES = {
    "a misspelt column": ("teams", "team,team_nam\n", "1: teams has no column 'team_nam'; did you mean 'team_name'?"),
    "a missing column": ("teams", "team,tier\na,1\n", "1: the column team_name is missing: add it"),
    "columns parted otherwise": ("teams", "team;team_name\n", "1: its columns are parted by ';'"),
    "a comma too many": ("teams", "team,team_name\na,b,c\n", "2: 3 fields where the header has 2"),
    "the same key": ("teams", "team,team_name\na,A\n\na,B\n", "4: the same team stands on line 2, too"),
    "an empty value": ("teams", "team,team_name\na,\n", "2: team_name is empty: give it a value"),
    "no number": ("teams", "team,team_name,tier\na,A,front\n", "2: tier 'front' is not a whole number"),
    "no zone": ("schedules", "schedule,timezone\na,Berlin\n", "2: timezone 'Berlin' is not a time zone"),
    "no schedule": (
        "team_schedules",
        "team,schedule\na,b\n",
        "2: schedule 'b' is not in schedules (allowed: a): add it to",
    ),
    "no day": ("kpi_targets", f"{TARGETS}csat,all,all,1.1.2026,80\n", "2: valid_from '1.1.2026' is not a day"),
    "no KPI": (
        "kpi_targets",
        f"{TARGETS}csatt,all,all,2026-01-01,80\n",
        "2: kpi 'csatt' is not in kpis (did you mean 'csat'",
    ),
    "no such word": (
        "tag_conventions",
        "system,tag,meaning\nz,vip,vip\n",
        "2: meaning 'vip' is not allowed: say compl",
    ),
    "no JSON": (
        "survey_questions",
        "source,survey_id,question_id,metric,positive_values\nvoice,s,q,csat,4;5\n",
        "2: positive_values '4;5' is not JSON: write it as [4, 5]",
    ),
    "no time of day": (
        "schedule_hours",
        "schedule,iso_weekday,opens,closes\na,1,9,17:00\n",
        "2: opens '9' is not a time of day: write it as 08:30",
    ),
}


@pytest.mark.parametrize(("table", "text", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_said_with_its_line(company: Company, table: str, text: str, said: str) -> None:
    write(company, "seeds/schedules.csv", "schedule,timezone\na,UTC\n")
    file = write(company, f"seeds/{table}.csv", text)
    (mistake,) = company_mistakes(company)
    assert mistake.startswith(f"{file}, line {said}")
    with pytest.raises(JourneymartError):
        project_files(company)


def test_a_misspelt_table_is_no_table_of_its_own(company: Company) -> None:
    file = write(company, "seeds/team.csv", "team\na\n")
    (mistake,) = company_mistakes(company)
    assert mistake.startswith(f"{file}: there is no table 'team'; did you mean 'teams'?")


def test_a_model_cannot_take_the_place_of_one_of_the_product(company: Company) -> None:
    file = write(company, "models/marts/x/fct_ticket.sql", "select 1")
    assert company_mistakes(company) == [
        f"{file}: the product has models/marts/service/fct_ticket.sql: give it another name."
    ]


def test_all_mistakes_are_said_at_once(company: Company) -> None:
    write(company, "seeds/schedules.csv", "schedule,timezone\na,Berlin\nb,Paris\n")
    assert len(company_mistakes(company)) == 2


def test_a_row_of_a_source_nobody_has_is_a_mistake_before_anything_runs(tmp_path: Path) -> None:
    acme = make_company(tmp_path / "acme")
    settings = Settings(company=acme, data=tmp_path / "data", state=tmp_path / "state")
    setup = Setup(settings, load_sources(acme / "company.yml", settings.data))
    file = acme / "seeds" / "survey_questions.csv"
    file.write_text("source,survey_id,question_id,metric\ndesk,s,q1,csat\ndeks,s,q2,csat\n", encoding="utf-8")
    assert company_mistakes(settings.dbt_parts) == []
    with pytest.raises(JourneymartError) as mistake:
        build_defs(setup=setup)
    said = f"{file}, line 3: source 'deks' is no source of company.yml (did you mean 'desk'?"
    assert str(mistake.value).startswith(said)
    assert not settings.dbt_project.exists()
    assert [each.said for each in _sources(settings) if each.health == "problem"] == [str(mistake.value)]


def test_a_mistake_quotes_no_value_that_may_name_a_person(company: Company) -> None:
    write(company, "seeds/identity_exclusions.csv", "kind,value\nemail,ann@example.org\nemail,ann@example.org\n")
    (mistake,) = company_mistakes(company)
    assert "line 3: the same kind, value stands on line 2" in mistake
    assert "ann" not in mistake


def test_a_file_saved_by_a_spreadsheet_is_read(company: Company) -> None:
    write(company, "seeds/teams.csv", '\ufeffteam_name,team\r\n"Service, first line",5001\r\n')
    table = load_tables(SEEDS)["teams"]
    (row,) = read_rows(table, company.folder.root / "seeds" / "teams.csv")  # type: ignore[operator]
    assert row.values == {"team": "5001", "team_name": "Service, first line", "tier": ""}


TABLE = {
    use: CompanyTable(
        name="t", description="", use=use, key=("k",), columns={c: TableColumn(type="varchar") for c in "kv"}
    )
    for use in ("replaces", "extends")
}
ROWS = st.dictionaries(st.text("abcd", min_size=1, max_size=2), st.text(max_size=5), max_size=6).map(
    lambda said: [TableRow({"k": k, "v": v.strip()}, Path("t.csv"), n) for n, (k, v) in enumerate(said.items())]
)


@given(ours=ROWS, theirs=ROWS | st.none())
def test_rows_go_together_as_a_dictionary_does(ours: list[TableRow], theirs: list[TableRow] | None) -> None:
    ours_said, theirs_said = ({row.values["k"]: row.values["v"] for row in rows or []} for rows in (ours, theirs))
    extended = {row.values["k"]: row.values["v"] for row in together(TABLE["extends"], ours, theirs)}
    assert extended == {**ours_said, **theirs_said}
    assert together(TABLE["replaces"], ours, theirs) == (ours if theirs is None else theirs)


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n", exclude_categories=["Cs", "Cc", "Z"]), max_size=8
)


@given(values=st.lists(st.tuples(TEXTS.filter(bool), TEXTS), max_size=5))
def test_what_is_written_is_what_was_read(
    values: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("table") / "t.csv"
    rows = [TableRow({"k": k, "v": v}, file, n) for n, (k, v) in enumerate(values, start=2)]
    file.write_text(as_csv(TABLE["extends"], rows), encoding="utf-8")
    assert read_rows(TABLE["extends"], file) == rows


def test_the_composed_project_follows_every_change_and_holds_nothing_else(company: Company, tmp_path: Path) -> None:
    project = tmp_path / "state" / "dbt_project"
    compose(company, project)
    assert (
        project / "models/marts/service/fct_ticket.sql"
    ).readlink() == PRODUCT / "models/marts/service/fct_ticket.sql"
    assert (project / "seeds/teams.csv").read_text() == "team,team_name,tier\n"

    write(company, "seeds/teams.csv", "team,team_name\n5001,Service\n")
    write(company, "models/marts/own/mart_own.sql", "select 1 as a")
    compose(company, project)
    assert (project / "seeds/teams.csv").read_text() == "team,team_name,tier\n5001,Service,\n"
    assert (project / "models/marts/own/mart_own.sql").read_text() == "select 1 as a"
    assert own_files(company.folder) == {"tables": 1, "contracts": 0, "models": 1}

    assert company.folder.root
    (company.folder.root / "models/marts/own/mart_own.sql").unlink()
    (company.folder.root / "seeds/teams.csv").unlink()
    (project / "left behind.sql").touch()
    compose(company, project)
    assert {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()} == {
        str(name) for name in project_files(company)
    }
    assert not (project / "models/marts/own").exists()


def test_a_project_that_stands_is_not_touched(company: Company, tmp_path: Path) -> None:
    project = tmp_path / "state" / "dbt_project"
    compose(company, project)
    before = {path: path.lstat().st_mtime_ns for path in project.rglob("*")}
    compose(company, project)
    assert {path: path.lstat().st_mtime_ns for path in project.rglob("*")} == before


def test_every_stream_has_its_staging_model_and_every_staging_model_its_stream() -> None:
    staging = {path.stem for path in (PRODUCT / "models/staging").glob("*/stg_*.sql")}
    streams = {f"stg_{path.parent.name}__{path.stem}" for path in (PROJECT / "quality/contracts").glob("*/*.yml")}
    assert staging == streams


def test_a_new_company_folder_is_right_and_says_what_to_change(tmp_path: Path) -> None:
    folder = make_company(tmp_path / "my company")
    made = CompanyFolder.at(folder)
    assert company_mistakes(Company(PRODUCT, made)) == []
    assert unread_files(made) == []
    sources = load_sources(made.file, folder / "data")
    assert [str(stream.stream) for stream in sources.streams] == ["desk/ticket"]
    assert sources.streams[0].location == str(folder / "drop")
    lines = made.file.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.strip() and "#" not in line and line.strip() != "desk:"] == []
    assert f"ticket_{sources.first_date}.csv" in (folder / "README.md").read_text(encoding="utf-8")


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(JourneymartError, match="holds something already"):
        make_company(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_is_misspelt_is_noticed(company: Company) -> None:
    write(company, "seed/teams.csv", "team\n")
    assert [path.name for path in unread_files(company.folder)] == ["seed"]


def test_the_committed_page_explains_every_key_and_table_there_is() -> None:
    check = subprocess.run(
        [sys.executable, str(PROJECT / "scripts" / "company_docs"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, f"{check.stdout}{check.stderr} Run scripts/company_docs."
