"""The two things that only the browser can do: keep the link in its address bar, and name what has no name."""

ADDRESS = "window.history.replaceState(null, '', cb_obj.text || window.location.pathname)"

# Sliders and canvases come without an accessible name; it is the title of the slider, the caption of the plot.
NAMES = """
const visit = (root) => {
  for (const element of root.querySelectorAll('*')) {
    if (element.classList.contains('noUi-handle')) {
      const title = element.getRootNode().querySelector('.bk-slider-title');
      const text = title ? title.textContent.replace(/[:\\s]+$/, '') : '';
      if (text) element.setAttribute('aria-label', text);
    }
    if (element.classList.contains('bk-Figure')) {
      element.setAttribute('role', 'img');
      element.setAttribute('aria-label', 'Plot: ' + caption.text);
    }
    if (element.shadowRoot) visit(element.shadowRoot);
  }
};
const name_all = () => visit(document);
setTimeout(name_all, 150);
setTimeout(name_all, 1500);
"""
