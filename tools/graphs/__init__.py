"""The example workflow files: how they are built, laid out and checked."""
