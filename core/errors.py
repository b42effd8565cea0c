"""The one exception for what a user can mend."""


class ConceptAttentionError(ValueError):
    """Bad input or an unsupported model; the text names the input, what was found, what is allowed."""
