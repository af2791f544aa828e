"""Stage 2: the demand that tickets miss. Rules judge, signals live."""
