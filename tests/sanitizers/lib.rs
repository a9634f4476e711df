//! Nothing: this package is for its tests, which are those of the project.
