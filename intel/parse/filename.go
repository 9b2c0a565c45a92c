package parse

import "strings"

// isFileName reports a name whose ending is that of files and no domain's: lists of
// indicators have names of files among them, which look like domains otherwise.
// Endings that are top-level domains too (.com, .zip, .py, .sh) are domains.
func isFileName(name string) bool {
	switch strings.ToLower(name[strings.LastIndexByte(name, '.')+1:]) {
	case "7z", "apk", "asp", "aspx", "bak", "bat", "bin", "bmp", "bz2", "cfg", "class", "cmd", "cpl", "css", "csv", "dat", "db", "dex", "dll", "dmg", "doc", "docm", "docx",
		"dylib", "elf", "exe", "gif", "gz", "hta", "htm", "html", "ico", "img", "ini", "ipa", "iso", "jar", "jpeg", "jpg", "js", "jse", "json", "jsp", "lnk", "log",
		"mp3", "mp4", "msi", "msp", "ocx", "odt", "pdb", "pdf", "php", "plist", "png", "ppt", "pptx", "ps1", "psm1", "rar", "reg", "rtf", "scr", "sct", "svg", "swf",
		"sys", "tar", "tgz", "tmp", "txt", "url", "vbe", "vbs", "vhd", "vhdx", "wav", "wsf", "xla", "xlam", "xll", "xls", "xlsb", "xlsm", "xlsx", "xml", "yar", "yara", "yml", "yaml":
		return true
	}
	return false
}
