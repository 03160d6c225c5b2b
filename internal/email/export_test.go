package email

// ButtonContrast is that of a button in a brand's colour.
func ButtonContrast(color string) float64 {
	background, text := Brand{Color: color}.button("")
	return contrast(background, text)
}

// RenderByHermes has hermes make a mail from the beginning, as it was before there were forms.
func RenderByHermes(r *Renderer, tpl Template, data Data, opts RenderOptions) (Rendered, error) {
	c, err := r.fill(tpl, data, opts)
	if err != nil {
		return Rendered{}, err
	}
	return r.generate(c)
}

// FormBy says why hermes has to make a mail from the beginning; empty: it has not.
func FormBy(r *Renderer, tpl Template, data Data, opts RenderOptions) (string, error) {
	c, err := r.fill(tpl, data, opts)
	if err != nil {
		return "", err
	}
	f, err := r.formOf(c)
	if err != nil {
		return "", err
	}
	return f.by, nil
}
