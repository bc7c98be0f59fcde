"""What every floor stands on: names in the data folder, locks, files and folders that appear whole, errors.

Not here: what the files hold.
"""
