"""Which loss the steps of a program go down.

Each of several trainings may have its own (`trainings`).  It is looked for in this order, and each kind only where none
before it is found or fits (`choosing` holds the order):

1. **named**: a scalar that is called a loss (`names`), or what a function so called **returns** (`roots`); what
   is computed in a ``print`` under such a word is recorded with that word as its name.
2. **unnamed**: a scalar that depends on parameters and that nothing of the backward pass goes into (`roots`).
   Where a score is only compared with a bound, no loss moves: a perceptron's, or that of a margin (`classes`).
3. **restored**: a loss computed from an array that the backward pass has changed in place by then (`restored`).
4. **late**: a loss computed after the step, or of other data, moved to what the step started from (`moved`, `copied`).
5. **added**: losses that are trained on together and never added up (`added`).
   Or it is the difference of **energies** that is descended, with a sample that is held constant.
6. **inferred**: a usual loss that nobody computes, from what the backward pass starts with (`errors`, `usual`), with the
   penalty that the steps have beside it (`penalised`); also where absolute errors are all that is told (`reported`); or the
   log-probability of what was chosen, whose gradient is written out (`actions`).
7. **begun**: where a backward pass starts is found by what follows from it (`starts`); a start is the gradient of a loss
   that the field knows (`known`, written by `formulas`, compared by `gradient_fits`), or of none that is known here: then
   it stands for the gradient of any loss, and only what follows is judged (`begun`).  Errors times a function of the output
   that is not its slope are judged as squared errors, which they are **meant** to be (`meant`).
8. **given**: an array that comes in from outside, ``dout``: it stands for the gradient of any loss (`layers`,
   `pairing`, `upstream`).
9. **not known**: then no root is given, and the report says so.

From 3 on the loss is written behind the end of the tape (`written`), and the report says how it was found out.

Where a new kind belongs: a loss that backward passes start from belongs in `known`, with its name, and with what must be
trained on beside it if it is half of something.  It must be a loss that somebody uses, and its gradient a thing that a fault
does not give by chance: what could be made to fit any start would call every fault right.  A new way in which errors are
written that are propagated one by one belongs in `errors`.

What says a loss in the text alone, to choose the iteration that is explained, stands in `tracer.program.loss_words` and
`tracer.recording.cost`.
"""
