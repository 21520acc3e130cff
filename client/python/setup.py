"""Generates consent.v1 beside consent_client while a wheel is made: pip wheel --no-deps --no-build-isolation client/python."""

import pathlib
import sys

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generate_stubs import find_protos, generate  # noqa: E402


class BuildWithStubs(build_py):
    def run(self):
        super().run()
        generate(find_protos(None), pathlib.Path(self.build_lib).resolve())

    def get_outputs(self, include_bytecode=True):
        generated = [str(path) for path in (pathlib.Path(self.build_lib) / "consent").rglob("*") if path.is_file()]
        return super().get_outputs(include_bytecode) + generated


setup(cmdclass={"build_py": BuildWithStubs})
