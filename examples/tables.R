# Read the CSV of `medprompt tables`, and print the mean volume of every region.
#   medprompt tables OUT -o measurements.csv && Rscript examples/tables.R measurements.csv
table <- read.csv(commandArgs(trailingOnly = TRUE)[1], na.strings = "")

volumes <- subset(table, quantity == "volume" & status == "measured")
by_region <- split(volumes$value, volumes$region)
print(data.frame(
  count = lengths(by_region),
  mean = round(sapply(by_region, mean), 2),
  std = round(sapply(by_region, sd), 2)
))
