"""The one exception for what a user can mend."""


class ConceptAttentionError(ValueError):
    """Bad input or unsupported model; names the input, what was found and what is allowed."""
