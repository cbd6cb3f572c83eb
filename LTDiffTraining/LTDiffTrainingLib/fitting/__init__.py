"""What is fitted without training: protocols on pairs and their trust in the network, what unpaired scans tell, the shipped library."""
