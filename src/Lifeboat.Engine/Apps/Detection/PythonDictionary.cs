using System.Text;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>What an expression in a settings module says by its text alone.</summary>
/// <param name="Text">The literal; of a path put together from parts, its last part; null where the text does not tell.</param>
/// <param name="Variable">The environment variable that is asked for; <paramref name="Text"/> is its default then.</param>
/// <param name="Entries">A dictionary's entries; null for other expressions.</param>
internal sealed record PythonValue(string? Text, string? Variable, IReadOnlyDictionary<string, PythonValue>? Entries)
{
    public PythonValue? this[string key] => Entries?.GetValueOrDefault(key);
}

/// <summary>Reads dictionary literals out of Python source. Nothing is executed or imported: what the text does not say stays unknown.</summary>
internal sealed class PythonDictionary
{
    private const int MaxDepth = 8;
    private readonly List<string> _tokens; // strings begin with a quote, everything else is itself
    private int _at;

    private PythonDictionary(List<string> tokens) => _tokens = tokens;

    /// <summary>Reads the first <c>name = {…}</c>, or any other expression that is assigned; null where there is none.</summary>
    public static PythonValue? Assigned(string source, string name)
    {
        List<string> tokens = Tokens(source);
        int at = Enumerable.Range(0, Math.Max(0, tokens.Count - 2)).FirstOrDefault(i => tokens[i] == name && tokens[i + 1] == "=" && (i == 0 || tokens[i - 1] == "\n"), -1);
        return at < 0 ? null : new PythonDictionary(tokens) { _at = at + 2 }.Value(0);
    }

    private string Token => _at < _tokens.Count ? _tokens[_at] : "";

    private PythonValue Value(int depth)
    {
        if (Token == "{" && depth < MaxDepth)
            return Dictionary(depth);
        List<string> expression = [];
        for (int open = 0; _at < _tokens.Count; _at++)
        {
            if (open == 0 && (Token is "," or "}" or "]" or ")" || (Token == "\n" && depth == 0)))
                break;
            open += Token is "(" or "[" or "{" ? 1 : Token is ")" or "]" or "}" ? -1 : 0;
            if (Token != "\n")
                expression.Add(Token);
        }

        return Evaluate(expression);
    }

    private PythonValue Dictionary(int depth)
    {
        Dictionary<string, PythonValue> entries = new(StringComparer.Ordinal);
        _at++;
        while (_at < _tokens.Count && Token != "}")
        {
            if (Token.StartsWith('"') && _at + 1 < _tokens.Count && _tokens[_at + 1] == ":")
            {
                string key = Token[1..];
                _at += 2;
                while (Token == "\n")
                    _at++;
                entries[key] = Value(depth + 1);
            }
            else
            {
                _at++;
            }
        }

        _at++;
        return new PythonValue(null, null, entries);
    }

    private static PythonValue Evaluate(List<string> expression)
    {
        string[] texts = [.. expression.Where(static t => t.StartsWith('"')).Select(static t => t[1..])];
        if (expression.Count == 1)
            return new PythonValue(texts.Length == 1 ? texts[0] : expression[0] is "None" ? "" : expression[0].All(char.IsAsciiDigit) ? expression[0] : null, null, null);
        bool asksEnvironment = expression.Any(static t => t is "environ" or "getenv" or "env" or "config");
        if (asksEnvironment && texts.Length > 0 && texts[0].Length > 0)
            return new PythonValue(texts.Length == 2 ? texts[1] : null, texts[0], null);

        // BASE_DIR / "data" / "db.sqlite3", os.path.join(BASE_DIR, "media")
        bool isPath = texts.Length > 0 && expression.Any(static t => t is "BASE_DIR" or "PROJECT_ROOT" or "BASE_PATH" or "PROJECT_DIR" or "ROOT_DIR");
        return new PythonValue(isPath ? string.Join('/', texts) : null, null, null);
    }

    private static List<string> Tokens(string source)
    {
        List<string> tokens = [];
        for (int at = 0; at < source.Length;)
        {
            char c = source[at];
            if (c == '#')
            {
                int end = source.IndexOf('\n', at);
                at = end < 0 ? source.Length : end;
            }
            else if (c is '"' or '\'')
            {
                tokens.Add('"' + Literal(source, ref at));
            }
            else if (char.IsLetterOrDigit(c) || c == '_')
            {
                int start = at;
                while (at < source.Length && (char.IsLetterOrDigit(source[at]) || source[at] == '_'))
                    at++;
                bool isPrefix = at < source.Length && source[at] is '"' or '\'' && at - start <= 2;
                if (!isPrefix)
                    tokens.Add(source[start..at]);
            }
            else
            {
                if (c == '\n' || !char.IsWhiteSpace(c))
                    tokens.Add(c.ToString());
                at++;
            }
        }

        return tokens;
    }

    private static string Literal(string source, ref int at)
    {
        char quote = source[at];
        bool isLong = at + 2 < source.Length && source[at + 1] == quote && source[at + 2] == quote;
        string end = new(quote, isLong ? 3 : 1);
        at += end.Length;
        StringBuilder text = new();
        while (at < source.Length && string.CompareOrdinal(source, at, end, 0, end.Length) != 0)
        {
            if (source[at] == '\\' && at + 1 < source.Length)
                at++;
            else if (source[at] == '\n' && !isLong)
                break; // not closed: take it as ended, so that one odd line does not swallow the file
            text.Append(source[at++]);
        }

        at = Math.Min(source.Length, at + end.Length);
        return text.ToString();
    }
}
