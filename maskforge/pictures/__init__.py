"""Pictures for people: nothing reads them back."""
