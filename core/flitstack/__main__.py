"""Runs the command line as `python -m flitstack`, for machines where another tool owns the name `flit`."""

from __future__ import annotations

from flitstack.cli import cli

cli(prog_name="flitstack")
