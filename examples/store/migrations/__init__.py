"""The history of the tables (Alembic): ``alembic -c examples/store/alembic.ini upgrade head`` applies it by hand."""
