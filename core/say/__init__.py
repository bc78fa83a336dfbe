"""Continue a person's prompt with the intact model and with some players removed."""
