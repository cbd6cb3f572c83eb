"""Grey levels and the matrices that are counted from them: which levels lie side by side, in runs, or unlike their neighbours.

Within: levels <- cooccurrence, runs, differences; statistics stands alone. Each of the last four holds a count and, as one
documented function each, the features that are read from it. Nothing here knows of profiles or of their names.
"""
