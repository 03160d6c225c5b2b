package email

// ButtonContrast is that of a button in a brand's colour.
func ButtonContrast(color string) float64 {
	background, text := Brand{Color: color}.button("")
	return contrast(background, text)
}
