"""What is fitted in closed form: protocols on pairs, what unpaired scans tell, the library of shipped protocols."""
