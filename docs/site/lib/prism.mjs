// The colours of code: few, as in a printed book. They follow the variables of site.css.
const colour = (name) => `var(--code-${name})`;
const theme = {
  plain: {color: colour('text'), backgroundColor: 'var(--code-paper)'},
  styles: [
    {types: ['comment', 'prolog'], style: {color: colour('comment'), fontStyle: 'italic'}},
    {types: ['keyword', 'property', 'tag', 'atrule', 'key'], style: {color: colour('keyword')}},
    {types: ['string', 'attr-value', 'char'], style: {color: colour('string')}},
    {types: ['number', 'boolean', 'constant'], style: {color: colour('number')}},
    {types: ['variable', 'parameter'], style: {color: colour('name')}},
  ],
};
export default {theme, darkTheme: theme, additionalLanguages: ['sql', 'bash', 'toml', 'ini']};
