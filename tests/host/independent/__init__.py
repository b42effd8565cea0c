"""Image and concept vectors by plain tensor maths, from the checkpoint alone.

One file for each family that the paper has no code for. Neither the host's modules nor the pack's
code take part, so that agreement means something.
"""
