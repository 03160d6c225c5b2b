package api

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/gin-gonic/gin"
)

// The look of the pages that recipients of mail see. They need no script, set no cookie and load nothing.
const pageStyle = `body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:12vh auto;padding:0 1.5rem;color:#1c2430;background:#fff}` +
	`h1{font-size:1.5rem}a{color:inherit}fieldset{border:0;padding:0;margin:1.5rem 0}legend{font-weight:600;padding:0}` +
	`label{display:block;padding-left:2rem;text-indent:-2rem}input[type=checkbox]{width:1.2rem;height:1.2rem;margin:0 .5rem 0 0;vertical-align:-.15rem}` +
	`button{font:inherit;padding:.7rem 1.4rem;border:1px solid #1d4ed8;border-radius:.4rem;background:#1d4ed8;color:#fff;cursor:pointer}` +
	`button.second{background:transparent;color:inherit;border-color:currentcolor}` +
	`button:focus-visible,input:focus-visible{outline:3px solid #6f97ff;outline-offset:2px}` +
	`@media(prefers-color-scheme:dark){body{background:#12161c;color:#e8ecf1}}`

const htmlType = "text/html; charset=utf-8"

func page(c *gin.Context, status int, html string) {
	sum := sha256.Sum256([]byte(pageStyle))
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	c.Data(status, htmlType, []byte(html))
}
