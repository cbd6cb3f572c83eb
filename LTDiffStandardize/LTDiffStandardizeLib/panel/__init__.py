"""The panel of LTDiffStandardize: thin widgets over `scene` and the worker. Imports qt and slicer; is imported when the panel is opened.

Every section sees the others only through the `Panel`: its parameters, its work and its `changed`. Setters of widgets are functions
and nothing is read back from a widget: what a user sets arrives by signals or through the parameter node.

Within: choices, packages, parameters, work, jobs <- standardizing, viewing, regions, features, diagnosing <- panel.
"""
