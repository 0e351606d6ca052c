"""Entries of the catalogue for exports and edits: for which kinds of results, and by which functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from inspect import signature
from typing import Any

from engine.errors import InputError


def load(dotted: str) -> Any:
    """Import `package.module` or `package.module:attribute`."""
    module, _, attribute = dotted.partition(":")
    loaded = import_module(module)
    return getattr(loaded, attribute) if attribute else loaded


@dataclass(frozen=True)
class Entry:
    """Something that is done to a result: for which kinds of results, and by which function of each."""

    name: str
    functions: Mapping[str, str]
    """Dotted name of the function by kind of result."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds of results that it is for."""
        return tuple(self.functions)

    @property
    def doc(self) -> str:
        """First line of what its function says of itself."""
        return (load(next(iter(self.functions.values()))).__doc__ or "").strip().partition("\n")[0]

    def choose(self, functions: Mapping[str, str], result: Any) -> Callable[..., Any]:
        """Import the function for the kind of a result.

        Parameters
        ----------
        functions
            Dotted names by kind.
        result : DataTree

        Raises
        ------
        InputError
            If it is not for results of this kind.
        """
        schema = load("engine.schema.kinds")
        schema.check_kind(result, *(schema.KINDS[name] for name in self.kinds), what=self.name)
        function: Callable[..., Any] = load(functions[schema.kind_of(result).name])
        return function


@dataclass(frozen=True)
class Exporter(Entry):
    """A format that a result is written in, each file carrying the recipe."""

    needs_images: bool = False
    """Whether it is made from the images too, not from the result alone."""

    def __call__(self, result: Any, folder: Any, *, images: Any = None) -> list[Any]:
        """Write a result into a folder and return the files.

        Parameters
        ----------
        result : DataTree
        folder : str or Path
        images : Dataset, optional
            The images that the result was made from.

        Raises
        ------
        InputError
            If the format is not for results of this kind.
        """
        files: list[Any] = self.choose(self.functions, result)(result, folder, images=images)
        return files


@dataclass(frozen=True)
class Edit(Entry):
    """A change of a result, which the `edits` of its recipe list."""

    learns: Mapping[str, str] = field(default_factory=dict)
    """By kind, a function that adds what the edit learns from these images to its arguments."""

    def __call__(self, result: Any, images: Any, /, **arguments: Any) -> Any:
        """Return the edited result; the one given stays as it is.

        Parameters
        ----------
        result : DataTree
        images : Dataset
            The images that the result was made from.
        arguments
            The edit's own.

        Raises
        ------
        InputError
            If the edit is not for results of this kind, or takes other arguments.
        """
        function = self.choose(self.functions, result)
        _check_arguments(self.name, function, arguments)
        return function(result, images, **arguments)

    def learn(self, result: Any, images: Any, /, **arguments: Any) -> dict[str, Any]:
        """Return the arguments with what the edit learns from these images.

        Parameters
        ----------
        result : DataTree
        images : Dataset
            The images that the result was made from.
        arguments
            The edit's own.

        Raises
        ------
        InputError
            If the edit is not for results of this kind, or takes other arguments.
        """
        if not self.learns:
            return arguments
        function = self.choose(self.learns, result)
        _check_arguments(self.name, function, arguments)
        learned: dict[str, Any] = function(result, images, **arguments)
        return learned


def _check_arguments(name: str, function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that a function does not take, before it is called: an error inside it is a bug."""
    try:
        signature(function).bind(None, None, **arguments)
    except TypeError as error:
        raise InputError(f"edit {name!r}: {error}; give the arguments that it takes") from None
