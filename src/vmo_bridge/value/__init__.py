"""Stage 3: the value that IT creates. KPIs, the windows they are measured in, targets agreed."""
