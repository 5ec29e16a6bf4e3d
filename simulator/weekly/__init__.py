"""What the system does to itself, once a week: slow mechanisms and policies, for every engine.

`rules` lays them out in arrays, `state` is what a run keeps, `step` moves it by a week and says
what holds until the next (docs/decisions/0006).
"""
