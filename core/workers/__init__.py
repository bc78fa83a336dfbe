"""Workers: processes on this machine or on others that evaluate the chunks of a study, run by Ray."""
