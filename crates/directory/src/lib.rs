//! What should happen: rules, evaluate, plan and why. Pure.
