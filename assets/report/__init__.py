"""The pages of a version: one self-contained HTML file each, for people who open no database.

What lives here: what a page reads (scorecard/data.py, journey/data.py), how its charts look (theme.py,
journey/charts.py), how a page is put together and escaped (page.py), keeping its template and writing it (render.py);
what all pages share in `shared/`, what one page has for itself in a folder of its own; a figure in words
(kpi_explanation.py). Not here: when it is written (orchestration), what the figures mean (dbt_project).
"""
