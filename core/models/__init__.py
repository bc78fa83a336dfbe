"""Find out which model is meant and where its files are; light to import."""
