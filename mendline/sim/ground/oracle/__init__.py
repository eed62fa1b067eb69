"""What the procedure promises, written a second time from the rules and not from the product's code.

Nothing here imports anything of Mendline or Django (an import contract holds it to that): a mistake made in
the engine cannot be made here by copying. It speaks in labels (`o17`, `o17.r1`) and never in the product's
numbers, knows all that was asked and answered, and says of every answer whether it may be so.
"""
