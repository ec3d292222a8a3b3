"""What is offered while one types: files after an @, commands after a slash."""
