"""The words every other room uses: batches, tables, settings, errors, text and units."""
