"""The paper's tables from what is stored, and the rule for cornerstones. numpy only."""
