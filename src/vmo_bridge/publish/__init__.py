"""Stage 4: values go back into the records people look at: plan, deliver, read back, receipt."""
