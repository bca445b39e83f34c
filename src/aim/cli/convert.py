"""
`aim convert`: the importers under the names and options of Aim 3.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from aim.cli.formats import json_option
from aim.cli.importing import ReportOutput, run_import, target_of
from aim.cli.main import AimGroup, repo_option
from aim.convert.detecting import recognised
from aim.convert.files import ARTIFACT_CHOICES, NONE
from aim.convert.formats import ImportOptions, Source
from aim.convert.names import FULL


@click.group(cls=AimGroup, lazy={}, short_help="Bring runs of other trackers, as in Aim 3.")
@repo_option
def convert(repo: Path | None) -> None:
    """Bring runs of other trackers, with the options of Aim 3. `aim import` has more of both."""


@convert.command()
@repo_option
@click.option("--logdir", required=True, type=click.Path(path_type=Path), help="The folder of event files.")
@click.option("--flat", "-f", is_flag=True, help="A run for each parent folder; its folders are the context `entry`.")
@click.option("--no-cache", is_flag=True, help="Ignored: what was imported is in the repository itself.")
@json_option
def tensorboard(repo: Path | None, logdir: Path, flat: bool, no_cache: bool, as_json: bool) -> None:
    """Bring the runs of TensorBoard. Names stay as they are; `aim import` splits off train and val."""
    options = ImportOptions(naming=FULL, choices={"flat": True} if flat else {})
    sys.exit(run_import(recognised(logdir, "tensorboard"), target_of(repo), options, to=ReportOutput(as_json=as_json)))


@convert.command()
@repo_option
@click.option(
    "--tracking_uri", required=True, help="The folder of a file store, sqlite:///PATH, or the address of a server."
)
@click.option("--experiment", "-e", help="Only this experiment: its whole name, or its id.")
@json_option
def mlflow(repo: Path | None, tracking_uri: str, experiment: str | None, as_json: bool) -> None:
    """
    Bring the runs of MLflow: from its files, its database, or its server.

    Files and databases of SQLite are read directly. An address such as http://host:5000 needs the client of MLflow
    (pip install 'aim[mlflow]'), and reads what the client reads: with the package mlflow and a driver also postgresql://
    and other databases. Users, passwords and tokens are those of the client: MLFLOW_TRACKING_USERNAME and the like.
    """
    options = ImportOptions(naming=FULL, experiment=experiment, artifacts="copy")
    sys.exit(run_import(_mlflow_sources(tracking_uri), target_of(repo), options, to=ReportOutput(as_json=as_json)))


@convert.command()
@repo_option
@click.option("--entity", required=True, help="The user or team that the project belongs to.")
@click.option("--project", required=True, help="The project.")
@click.option("--run-id", help="Only this run.")
@click.option(
    "--artifacts",
    type=click.Choice(ARTIFACT_CHOICES),
    default=NONE,
    show_default=True,
    help="Copy files of the runs into the repository, or keep their addresses.",
)
@json_option
def wandb(repo: Path | None, entity: str, project: str, run_id: str | None, artifacts: str, as_json: bool) -> None:
    """
    Bring the runs of a project on a server of Weights & Biases, with every row of their history.

    It needs the client of W&B (pip install 'aim[wandb]'), which is told by `wandb login`, WANDB_API_KEY and
    WANDB_BASE_URL who asks, and which server. Folders of offline runs need neither: aim import ./wandb. The same call
    again brings only the runs that changed.
    """
    from aim.convert.wandb.service_importer import WandbServiceImporter

    options = ImportOptions(naming=FULL, artifacts=artifacts)
    source = WandbServiceImporter(entity, project, run_id).source
    sys.exit(run_import([source], target_of(repo), options, to=ReportOutput(as_json=as_json)))


def _mlflow_sources(tracking_uri: str) -> list[Source]:
    scheme, _, rest = tracking_uri.partition("://")
    if rest and scheme not in ("file", "sqlite"):
        from aim.convert.mlflow.server_importer import MlflowServerImporter

        return [MlflowServerImporter(tracking_uri).source]
    return recognised(Path(rest[1:] if scheme == "sqlite" else rest or tracking_uri), "mlflow")


convert.add_command(tensorboard, "tf")
