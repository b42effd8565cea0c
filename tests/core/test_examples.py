"""The examples in the documentation of core/ are true."""

import doctest
import importlib
import pkgutil

import pytest
import torch

import concept_attention.core as core

MODULES = [module.name for module in pkgutil.walk_packages(core.__path__, f"{core.__name__}.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module, extraglobs={"torch": torch}).failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [finder.find(importlib.import_module(name)) for name in MODULES]
    assert sum(bool(test.examples) for tests in found for test in tests) >= 4
