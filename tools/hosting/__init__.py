"""Finds or provisions a ComfyUI host and runs it: shared by the Makefile's commands and the tests.

Standard library only: this code runs before any environment exists.
"""
