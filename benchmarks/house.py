"""Count what makes the code readable by strangers: names, docstrings, twins, sizes, circles, guesses.

    python benchmarks/house.py [CHECKOUT] [--list FIGURE]

Prints one line a figure. A second checkout, such as a worktree of an older commit, is counted the same way;
`--list` prints what stands behind a figure, for mending it.
"""

import argparse
import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parents[1]
PACKAGES: Final = ("engine", "dashboard")
IRREGULAR: Final = frozenset(
    [
        "arisen",
        "beaten",
        "begun",
        "bent",
        "bound",
        "bought",
        "bought",
        "brought",
        "built",
        "caught",
        "chosen",
        "cut",
        "done",
        "drawn",
        "driven",
        "drowned",
        "eaten",
        "fallen",
        "felt",
        "fit_to",
        "found",
        "forgotten",
        "given",
        "gone",
        "grown",
        "heard",
        "held",
        "hidden",
        "kept",
        "known",
        "laid",
        "left",
        "lent",
        "lost",
        "made",
        "meant",
        "met",
        "paid",
        "proven",
        "put_back",
        "said",
        "seen",
        "sent",
        "shown",
        "sought",
        "sold",
        "sorted_out",
        "spent",
        "spoken",
        "spread",
        "stood",
        "stuck",
        "sunk",
        "swept",
        "taken",
        "taught",
        "thought",
        "thrown",
        "told",
        "understood",
        "unseen",
        "woven",
        "written",
        "beside",
        "worn",
        "won",
    ]
)
"""Past participles that do not end in -ed."""
NOT_PARTICIPLES: Final = frozenset(
    [
        "bed",
        "embed",
        "feed",
        "led",
        "need",
        "red",
        "reed",
        "seed",
        "shed",
        "sled",
        "speed",
        "exceed",
        "proceed",
        "indeed",
        "hundred",
        "sacred",
        "wed",
        "weed",
        "embedded",
        "need_ed",
        "fed",
        "based",
        "shared",
        "shaded",
        "shed",
        "linked",
    ]
)
"""Words that end in -ed and are none, or that the field uses as adjectives of a noun that follows."""
SLICE: Final = frozenset(
    [
        "analysis",
        "model",
        "train",
        "predict",
        "result",
        "report",
        "review",
        "features",
        "networks",
        "examples",
        "settings",
        "tables",
        "edits",
        "page",
        "state",
        "cards",
        "plots",
        "view",
        "gallery",
    ]
)
"""File names that every analysis, and every page, has on purpose: who knows one folder knows all."""
RIDDLES: Final = re.compile(r"^(What|Whether|How|Which|Where)\b")
DOCUMENTS: Final = frozenset(
    [
        *(
            "message",
            "query",
            "step",
            "edit",
            "result.recipe.edits[-1]",
            "theme.REGION",
            "preview",
            "self.param",
        ),
        *("objects.param", "r", "stored", "cells", "listed", "facts", "one", "frame.tracks"),
    ]
)
"""Names of what is subscripted by such words and is no table: JSON documents, messages, other files."""
LONG_FUNCTION: Final = 40
MANY_METHODS: Final = 12
GUESS: Final = re.compile(r"(?:not )?in [\w.]*\.(?:children|data_vars)\b(?!\.)")


def modules(root: Path, packages: tuple[str, ...] = PACKAGES) -> dict[str, Path]:
    """Dotted name -> file, of every module of the packages."""
    found = {}
    for package in packages:
        for file in sorted((root / package).rglob("*.py")):
            parts = list(file.relative_to(root).with_suffix("").parts)
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def is_participle(name: str) -> bool:
    """Whether a function is named by a past participle: its first or last word is one, and no verb leads."""
    words = [word for word in re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_") if word]
    if (
        not words
        or name.startswith("__")
        or words[0] in ("is", "has", "are", "was", "can", "on", "with", "test", "to")
    ):
        return False
    verb = words[0] if len(words) > 1 else ""
    return _participle(words[0]) or (len(words) > 1 and _participle(words[-1]) and verb not in VERBS)


def _participle(word: str) -> bool:
    regular = word.endswith("ed") and len(word) > 3 and word not in NOT_PARTICIPLES
    return regular or word in IRREGULAR


VERBS: Final = frozenset(
    [
        "add",
        "apply",
        "ask",
        "build",
        "call",
        "check",
        "choose",
        "clear",
        "close",
        "compute",
        "connect",
        "count",
        "create",
        "cut",
        "delete",
        "describe",
        "draw",
        "drop",
        "encode",
        "export",
        "fill",
        "find",
        "fit",
        "format",
        "get",
        "give",
        "group",
        "hide",
        "index",
        "join",
        "keep",
        "label",
        "learn",
        "list",
        "load",
        "make",
        "mark",
        "match",
        "measure",
        "merge",
        "move",
        "note",
        "open",
        "paint",
        "parse",
        "pick",
        "place",
        "plot",
        "predict",
        "prepare",
        "print",
        "put",
        "raise",
        "rank",
        "read",
        "record",
        "refuse",
        "remove",
        "rename",
        "report",
        "reset",
        "resolve",
        "return",
        "run",
        "save",
        "score",
        "select",
        "send",
        "set",
        "show",
        "skip",
        "sort",
        "split",
        "start",
        "stop",
        "store",
        "sum",
        "take",
        "tell",
        "train",
        "update",
        "validate",
        "wait",
        "walk",
        "watch",
        "write",
        "filter",
        "restore",
        "submit",
        "resume",
        "forget",
        "release",
        "wake",
    ]
)


def _code_lines(node: ast.AST, lines: list[str]) -> int:
    """Lines of code of a function without its docstring, comments and blank lines."""
    body = node.body  # type: ignore[attr-defined]
    start = body[0].end_lineno + 1 if ast.get_docstring(node) and len(body) > 1 else body[0].lineno  # type: ignore[arg-type]
    inside = lines[start - 1 : node.end_lineno]  # type: ignore[attr-defined]
    return sum(1 for line in inside if line.strip() and not line.strip().startswith("#"))


def _public(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return not node.name.startswith("_")


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    a = node.args
    every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)]
    return [x.arg for x in every if x.arg not in ("self", "cls")]


def _share(part: list[str], whole: int) -> str:
    return f"{100 * len(part) / max(whole, 1):5.1f} %  ({len(part)} of {whole})"


def import_graph(found: dict[str, Path]) -> dict[str, set[str]]:
    """Who imports whom, imports inside functions counted, those for type checking only not."""
    graph: dict[str, set[str]] = {name: set() for name in found}
    for name, file in found.items():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        typing_only = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if id(node) in typing_only:
                continue
            if isinstance(node, ast.Import):
                graph[name] |= {a.name for a in node.names if a.name in found}
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                for a in node.names:
                    full = f"{node.module}.{a.name}"
                    target = full if full in found else node.module
                    if target in found and target != name:
                        graph[name].add(target)
    return graph


def circles(graph: dict[str, set[str]]) -> list[list[str]]:  # noqa: C901  (one algorithm)
    """Groups of modules that import each other in a ring (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on: set[str] = set()
    rings: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        on.add(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            ring = []
            while True:
                member = stack.pop()
                on.discard(member)
                ring.append(member)
                if member == node:
                    break
            if len(ring) > 1:
                rings.append(sorted(ring))

    for name in graph:
        if name not in index:
            visit(name)
    return rings


def column_names(root: Path) -> frozenset[str]:
    """Names of the columns that the schema declares, or those of round 1 where it declares none."""
    columns = root / "engine" / "schema" / "columns.py"
    if columns.is_file():
        text = columns.read_text(encoding="utf-8")
        return frozenset(re.findall(r"^[A-Z_0-9]+: Final = \"(\w+)\"", text, re.MULTILINE))
    return frozenset(
        [
            "name",
            "class",
            "color",
            "file",
            "reviewed",
            "abstained",
            "pixel_size",
            "count",
            "fraction",
            "area",
            "kind",
        ]
    )


def spelled_columns(tree: ast.AST, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Column names spelled as text where a table is read or made: subscripts, keys of assign, `in` tests."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and node.slice.value in names
            and ast.unparse(node.value) not in DOCUMENTS
        ):
            yield node.lineno, str(node.slice.value)
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Constant) and node.left.value in names:
            yield node.lineno, str(node.left.value)


def twin(name: str, file: Path) -> Path:
    """Where the test of a module lies: the same path under tests."""
    parts = name.split(".")
    if file.stem == "__init__":
        return Path("tests", *parts, "test_init.py")
    return Path("tests", *parts[:-1], f"test_{parts[-1].strip('_')}.py")


def figures(root: Path) -> dict[str, tuple[str, list[str]]]:
    """Every figure as text, with the places behind it."""
    found = modules(root)
    out: dict[str, tuple[str, list[str]]] = {}
    names = column_names(root)
    sources = {name: file.read_text(encoding="utf-8") for name, file in found.items()}
    trees = {name: ast.parse(text) for name, text in sources.items()}
    for package in PACKAGES:
        mine = {n: t for n, t in trees.items() if n.split(".")[0] == package}
        every = [(n, f) for n, t in mine.items() for f in functions(t)]
        bad = [f"{n}:{f.lineno} {f.name}" for n, f in every if is_participle(f.name)]
        out[f"participles {package}"] = (_share(bad, len(every)), bad)
        documented = [
            (n, d, doc)
            for n, t in mine.items()
            for d in ast.walk(t)
            if isinstance(d, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module)
            and (doc := ast.get_docstring(d))
        ]
        bad = [
            f"{n}:{getattr(d, 'lineno', 1)} {doc[:60]!r}" for n, d, doc in documented if RIDDLES.match(doc)
        ]
        out[f"riddles {package}"] = (_share(bad, len(documented)), bad)
        wide = [(n, f) for n, f in every if _public(f) and len(_arguments(f)) >= 2]
        bad = [
            f"{n}:{f.lineno} {f.name}" for n, f in wide if "Parameters\n" not in (ast.get_docstring(f) or "")
        ]
        good = [f.name for n, f in wide if "Parameters\n" in (ast.get_docstring(f) or "")]
        out[f"parameters {package}"] = (_share(good, len(wide)), bad)
    stems = Counter(
        name.rpartition(".")[2] for name, f in found.items() if f.stem not in ("__init__", "__main__")
    )
    double = [f"{stem} ×{n}" for stem, n in stems.items() if n > 1]
    out["module names twice, the fixed names of slices and pages apart"] = (
        str(len([d for d in double if d.split()[0] not in SLICE])),
        double,
    )
    where = defaultdict(list)
    for n, t in trees.items():
        for d in ast.walk(t):
            if isinstance(d, ast.ClassDef):
                where[d.name].append(f"{n}:{d.lineno}")
    double = [f"{name}: {', '.join(places)}" for name, places in where.items() if len(places) > 1]
    out["class names twice"] = (str(len(double)), double)
    real = {n: f for n, f in found.items() if f.stem not in ("__init__", "__main__")}
    without = [n for n, f in real.items() if not (root / twin(n, f)).is_file()]
    out["modules with a mirrored test"] = (_share([n for n in real if n not in without], len(real)), without)
    big = [
        f"{n}:{d.lineno} {d.name} ({count})"
        for n, t in trees.items()
        for d in ast.walk(t)
        if isinstance(d, ast.ClassDef)
        and (count := sum(isinstance(x, ast.FunctionDef | ast.AsyncFunctionDef) for x in d.body))
        > MANY_METHODS
    ]
    out[f"classes of more than {MANY_METHODS} methods"] = (str(len(big)), big)
    long = [
        f"{n}:{f.lineno} {f.name} ({count})"
        for n, t in trees.items()
        for f in functions(t)
        if (count := _code_lines(f, sources[n].splitlines())) > LONG_FUNCTION
    ]
    out[f"functions of more than {LONG_FUNCTION} lines"] = (str(len(long)), long)
    rings = circles(import_graph(found))
    out["circles, lazy imports counted"] = (str(len(rings)), [" <-> ".join(ring) for ring in rings])
    guesses = [
        f"{n}:{i} {line.strip()[:100]}"
        for n, text in sources.items()
        if not n.startswith("engine.schema")
        for i, line in enumerate(text.splitlines(), 1)
        if re.search(r"(?:not )?in [\w.]*\.children\b(?!\.)", line)
        or re.search(r"[A-Z_]+ (?:not )?in \w*(?:result|tree|edited)\w*\.data_vars", line)
    ]
    out["guesses of a result's kind from what it holds"] = (str(len(guesses)), guesses)
    spelled = [
        f"{n}:{line} {column}"
        for n, t in trees.items()
        if not n.startswith("engine.schema")
        for line, column in spelled_columns(t, names)
    ]
    out["column names spelled outside the schema"] = (str(len(spelled)), spelled)
    return out


def main() -> None:
    """Print the figures of a checkout."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("root", nargs="?", type=Path, default=HERE)
    parser.add_argument("--list", default="", help="part of a figure's name: print the places behind it")
    options = parser.parse_args()
    for name, (text, places) in figures(options.root.resolve()).items():
        print(f"{name:<66} {text}")
        if options.list and options.list in name:
            print("".join(f"    {place}\n" for place in places), end="")


if __name__ == "__main__":
    main()
