"""What all servers over HTTP have in common: reaching them, their failures, and an answer's way back."""
