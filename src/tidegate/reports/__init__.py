"""Reports: named questions over a window of time, as one page, pictures, sheets and text."""
