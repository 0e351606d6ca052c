"""Parts shared by everything that is trained on examples."""
