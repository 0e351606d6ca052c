"""The command line, generated from the catalogue: `python -m engine COMMAND`, also `mapstack COMMAND`.

Exit codes: 0 done, 2 the user's input is at fault (one line on stderr), 1 a bug, 130 interrupted.
"""

import argparse
import logging
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import param

from engine import catalogue
from engine.errors import CancelledError, InputError, MapstackError

Command = Callable[[argparse.Namespace], None]
Options = Callable[["Parser", Sequence[str]], None]


class Parser(argparse.ArgumentParser):
    """Raises instead of printing a usage, so that every wrong input ends in the same one line."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong with the arguments."""
        raise InputError(f"{message}; see '{self.prog} --help'")


def main(
    arguments: Sequence[str] | None = None,
    *,
    program: str = "python -m engine",
    more: Mapping[str, tuple[str, Options]] | None = None,
) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments
        Without the program's name; by default the process' own.
    program
        Name shown in help texts.
    more
        Further commands: name -> (dotted name of the function, its options).
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    commands = {**COMMANDS, **(more or {})}
    try:
        if not given or given[0] in ("-h", "--help"):
            print(_overview(program, commands))  # noqa: T201
            return 0
        name = given[0]
        if name not in commands:
            raise InputError(f"unknown command {name!r}; the commands are {', '.join(commands)}")
        dotted, options = commands[name]
        parser = Parser(prog=f"{program} {name}", description=_summary(dotted), allow_abbrev=False)
        parser.add_argument("-v", "--verbose", action="store_true", help="log what is done")
        options(parser, given[1:])
        parsed = parser.parse_intermixed_args(given[1:])
        logging.basicConfig(level=logging.INFO if parsed.verbose else logging.WARNING)
        if not parsed.verbose:
            warnings.simplefilter("ignore")  # libraries' remarks on numbers are nothing a user can act on
        function: Command = catalogue.load(dotted)
        function(parsed)
    except (KeyboardInterrupt, CancelledError):
        _say("interrupted")
        return 130
    except MapstackError as error:
        _say(f"error: {_one_line(error)}")
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  (the last door: a bug is logged, the user gets one line)
        log = Path(tempfile.gettempdir()) / f"mapstack-{os.getpid()}.log"
        log.write_text(traceback.format_exc(), encoding="utf-8")
        _say(f"internal error: {type(error).__name__}: {_one_line(error)}; please report it with {log}")
        return 1
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _overview(program: str, commands: Mapping[str, tuple[str, Options]]) -> str:
    rows = [f"  {name:<10} {_summary(dotted)}" for name, (dotted, _) in commands.items()]
    return "\n".join(
        [f"usage: {program} COMMAND [OPTION ...]", "", *rows, "", f"{program} COMMAND --help tells more."]
    )


def _summary(dotted: str) -> str:
    return (catalogue.load(dotted).__doc__ or "").partition("\n")[0]


def _json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def _results(parser: Parser) -> None:
    parser.add_argument(
        "--results", metavar="DIR", type=Path, help="folder of jobs and results ($MAPSTACK_HOME)"
    )


def _scheduling(parser: Parser) -> None:
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler to compute on, such as tls://host:8786"
    )
    parser.add_argument("--workers", metavar="N", type=int, help="worker processes for this command")


def _list_options(parser: Parser, _: Sequence[str]) -> None:
    parser.add_argument("kind", nargs="?", choices=["readers", "analyses", "simulators", "exporters"])
    _json(parser)


def _info_options(parser: Parser, _: Sequence[str]) -> None:
    parser.add_argument("path", metavar="PATH")
    _json(parser)


def _fit_options(parser: Parser, given: Sequence[str]) -> None:
    parser.add_argument("analysis", metavar="ANALYSIS", help=", ".join(catalogue.ANALYSES))
    parser.add_argument("path", metavar="PATH")
    parser.add_argument("--out", metavar="MODEL", type=Path, required=True, help="folder for the model")
    parser.add_argument("--labels", metavar="PATH", help="labels to learn from")
    _prepare_and_compute(parser)
    _settings(parser, "analyses", given)


def _run_options(parser: Parser, given: Sequence[str]) -> None:
    parser.add_argument(
        "what", nargs="*", metavar="ANALYSIS PATH", help="an analysis and one or more files or folders"
    )
    parser.add_argument(
        "--out", metavar="RESULT.zarr", type=Path, required=True, help="result, or folder for several"
    )
    parser.add_argument(
        "--recipe", metavar="FILE", type=Path, help="do what this recipe, result or export says"
    )
    parser.add_argument("--model", metavar="MODEL", type=Path, help="apply this model instead of fitting")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing result")
    _prepare_and_compute(parser)
    _settings(parser, "analyses", given)


def _prepare_and_compute(parser: Parser) -> None:
    parser.add_argument("--pixel-size", metavar="SIZE", help="edge of a pixel, such as 0.5um or 12nm")
    _scheduling(parser)
    _results(parser)


def _choose_k_options(parser: Parser, _: Sequence[str]) -> None:
    parser.add_argument("path", metavar="PATH")
    parser.add_argument("--kmin", type=int, default=2)
    parser.add_argument("--kmax", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", metavar="FILE.json", type=Path)
    _json(parser)


def _score_options(parser: Parser, _: Sequence[str]) -> None:
    parser.add_argument("result", metavar="RESULT")
    parser.add_argument("truth", metavar="TRUTH")
    parser.add_argument("--ignore", metavar="VALUE", type=int, action="append", default=[])
    parser.add_argument("--names", metavar="a,b,c", help="names of the truth's values in ascending order")
    _json(parser)


def _compare_options(parser: Parser, _: Sequence[str]) -> None:
    parser.add_argument("first", metavar="RESULT", type=Path)
    parser.add_argument("second", metavar="RESULT", type=Path)
    _json(parser)


def _export_options(parser: Parser, _: Sequence[str]) -> None:
    parser.add_argument("result", metavar="RESULT", type=Path)
    parser.add_argument("--to", metavar="FORMAT", required=True, choices=list(catalogue.EXPORTERS))
    parser.add_argument("--out", metavar="DIR", type=Path, required=True)


def _simulate_options(parser: Parser, given: Sequence[str]) -> None:
    parser.add_argument("kind", metavar="KIND", help=", ".join(catalogue.SIMULATORS))
    parser.add_argument("--out", metavar="DIR", type=Path, required=True)
    _settings(parser, "simulators", given)


def _jobs_options(parser: Parser, _: Sequence[str]) -> None:
    parser.add_argument("action", nargs="?", default="list", choices=["list", "show", "cancel", "resume"])
    parser.add_argument("id", nargs="?", metavar="ID")
    _results(parser)
    _json(parser)


def _settings(parser: Parser, kind: str, given: Sequence[str]) -> None:
    """Add an option for each setting of the catalogue entry that the arguments name."""
    name = next((word for word in given if word in catalogue.ENTRIES[kind]), None)
    if name is None:
        return
    group = parser.add_argument_group(f"settings of {name}")
    parameters = catalogue.find(kind, name).param
    for setting in catalogue.find(kind, name).setting_names():
        option = f"--{setting.replace('_', '-')}"
        doc = (parameters[setting].doc or "").replace("%", "%%")
        group.add_argument(
            option,
            dest=f"setting.{setting}",
            default=argparse.SUPPRESS,
            help=doc,
            **_convert_type(parameters[setting]),
        )


def _convert_type(setting: param.Parameter) -> dict[str, Any]:
    """Translate a parameter to argparse's terms."""
    if isinstance(setting, param.Boolean):
        return {"action": argparse.BooleanOptionalAction}
    if isinstance(setting, param.Selector):
        return {
            "type": type(setting.objects[0]),
            "choices": list(setting.objects),
            "metavar": "|".join(map(str, setting.objects)),
        }
    if isinstance(setting, param.Number):
        return {"type": int if isinstance(setting, param.Integer) else float, "metavar": "VALUE"}
    return {"type": str, "metavar": "VALUE"}


COMMANDS: Final[Mapping[str, tuple[str, Options]]] = {
    "list": ("engine.commands:list_entries", _list_options),
    "info": ("engine.commands:info", _info_options),
    "fit": ("engine.commands:fit", _fit_options),
    "run": ("engine.commands:run", _run_options),
    "choose-k": ("engine.commands:choose_number", _choose_k_options),
    "score": ("engine.commands:score", _score_options),
    "compare": ("engine.commands:compare", _compare_options),
    "export": ("engine.commands:export", _export_options),
    "simulate": ("engine.commands:simulate", _simulate_options),
    "jobs": ("engine.commands:manage_jobs", _jobs_options),
}

if __name__ == "__main__":
    sys.exit(main())
