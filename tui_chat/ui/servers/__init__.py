"""What the screens about servers say and draw: one file for each subject."""
