"""What the explorer is made of: one widget a file, each shown what it draws and asking nothing."""
