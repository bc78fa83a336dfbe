"""The paper's tables from stored values, and the rule for cornerstones. Needs only numpy."""
