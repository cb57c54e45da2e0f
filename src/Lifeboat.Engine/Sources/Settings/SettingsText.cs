using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Sources.Settings;

/// <summary>Where a setting's value stands in a file.</summary>
/// <param name="Start">Of the value, in bytes.</param>
/// <param name="Value">The value itself, without quotes and escapes.</param>
/// <param name="Commented">The line is commented out.</param>
internal sealed record SettingPlace(int Start, int Length, string Value, bool Commented = false);

/// <summary>What kind of settings file a file is, as far as its values can be told apart.</summary>
internal enum SettingsKind
{
    /// <summary><c>NAME=value</c>, with quotes; a quoted value may have several lines.</summary>
    Environment,

    /// <summary><c>name = value</c> or <c>name: value</c>; deeper indented lines go on with a value (Python's configparser).</summary>
    Ini,

    Json,

    /// <summary>Another kind, or none.</summary>
    Other,
}

/// <summary>A settings file's text, in which single values are found and replaced; every other byte stays as it is.</summary>
/// <param name="path">The file's name tells its kind.</param>
internal sealed partial class SettingsText(string path, byte[] bytes)
{
    private static readonly string[] s_iniEndings = [".ini", ".cfg", ".conf", ".cnf", ".properties"];
    private static readonly JsonReaderOptions s_withComments = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    // A character for each byte: positions are those in the file, and nothing is lost.
    private string _text = Encoding.Latin1.GetString(bytes);

    public string Path => path;

    public byte[] Bytes => Encoding.Latin1.GetBytes(_text);

    public SettingsKind Kind { get; } = KindOf(path, bytes);

    /// <summary>Whether a text stands in the file, between characters that are no letters or digits.</summary>
    public bool Mentions(string text)
    {
        string wanted = Latin1(text);
        // Of texts in UTF-16 every other byte is a zero.
        if (_text.Contains('\0', StringComparison.Ordinal) && _text.Replace("\0", "", StringComparison.Ordinal).Contains(wanted, StringComparison.Ordinal))
            return true;
        for (int at = _text.IndexOf(wanted, StringComparison.Ordinal); at >= 0; at = _text.IndexOf(wanted, at + 1, StringComparison.Ordinal))
            if (!IsPartOfWord(at - 1) && !IsPartOfWord(at + wanted.Length))
                return true;
        return false;
    }

    /// <summary>Every place of a setting, in the file's order; commented-out ones too.</summary>
    /// <exception cref="JsonException">A JSON file that is none.</exception>
    /// <exception cref="SettingsDoubtException">It is not sure where the setting's values end.</exception>
    public IReadOnlyList<SettingPlace> Find(string name) => Kind switch
    {
        SettingsKind.Json => FindInJson(name),
        SettingsKind.Environment when Places(Latin1(name), StringComparison.Ordinal).Any() => FindInEnvironment(name),
        SettingsKind.Ini => FindInIni(name),
        _ => [],
    };

    /// <summary>Requires that a setting which was emptied stands nowhere else with a value: inside of another one, in a comment, on a line of another form.</summary>
    /// <exception cref="SettingsDoubtException">It does, or may.</exception>
    public void RequireNoOther(string name)
    {
        string wanted = Latin1(name);
        StringComparison comparison = Kind == SettingsKind.Ini ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        foreach (int at in Places(wanted, comparison))
        {
            string before = _text[StartOfLine(at)..at];
            string behind = _text[(at + wanted.Length)..EndOfLine(_text, at)];
            bool withDefault = before.EndsWith("${", StringComparison.Ordinal) && behind is not ['}', ..];
            if (withDefault || (WithValue().IsMatch(behind) && !(Kind == SettingsKind.Json && EmptiedJson().IsMatch(behind))))
                throw SettingsDoubtException.At(_text, at, "the name stands there with a value, where no setting begins");
            bool comment = before.TrimStart() is ['#' or ';' or '!', ..];
            if (Kind == SettingsKind.Ini && !comment && !before.AsSpan().ContainsAny('=', ':') && !Emptied().IsMatch(behind))
                throw SettingsDoubtException.At(_text, at, "the name stands there, and not as NAME = value");
        }
    }

    /// <summary>Puts texts, written as the file's kind writes them, into places.</summary>
    public void Replace(IReadOnlyList<SettingPlace> places, Func<SettingPlace, string> text)
    {
        foreach (SettingPlace place in places.OrderByDescending(static one => one.Start))
            _text = $"{_text[..place.Start]}{Latin1(text(place))}{_text[(place.Start + place.Length)..]}";
    }

    /// <summary>Leaves a place without a value.</summary>
    public string Empty => Kind == SettingsKind.Json ? "null" : "";

    /// <summary>A value as the file's kind writes it.</summary>
    public string Written(SettingPlace place, string value)
    {
        if (Kind == SettingsKind.Json)
            return _text[place.Start] != '"' && IsBareJson(value) ? value : $"\"{JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
        if (Kind == SettingsKind.Ini || IsPlain().IsMatch(value))
            return value;
        return value.Contains('\'', StringComparison.Ordinal)
            ? $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""
            : $"'{value}'";
    }

    private static SettingsKind KindOf(string path, byte[] bytes)
    {
        string name = System.IO.Path.GetFileName(path).ToLowerInvariant();
        if (bytes.AsSpan().IndexOf((byte)0) >= 0)
            return SettingsKind.Other; // UTF-16, or no text at all
        if (name.EndsWith(".json", StringComparison.Ordinal) || name.EndsWith(".jsonc", StringComparison.Ordinal))
            return SettingsKind.Json;
        if (name.EndsWith(".env", StringComparison.Ordinal) || name.StartsWith(".env.", StringComparison.Ordinal))
            return SettingsKind.Environment;
        return s_iniEndings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal)) ? SettingsKind.Ini : SettingsKind.Other;
    }

    private static string Latin1(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private static string FromLatin1(string text) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(text));

    /// <summary>Where a name stands, and no longer one. What is not ASCII may be a blank to some programs.</summary>
    private IEnumerable<int> Places(string wanted, StringComparison comparison)
    {
        for (int at = _text.IndexOf(wanted, comparison); at >= 0; at = _text.IndexOf(wanted, at + 1, comparison))
            if (!IsPartOfName(at - 1) && !IsPartOfName(at + wanted.Length))
                yield return at;
    }

    private bool IsPartOfName(int at) => at >= 0 && at < _text.Length && (char.IsAsciiLetterOrDigit(_text[at]) || _text[at] == '_');

    private bool IsPartOfWord(int at) => at >= 0 && at < _text.Length && (char.IsAsciiLetterOrDigit(_text[at]) || _text[at] is '_' or >= '\u0080');

    private List<SettingPlace> FindInJson(string name)
    {
        int start = bytes.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0;
        byte[] current = Bytes;
        Utf8JsonReader reader = new(current.AsSpan(start), s_withComments);
        List<SettingPlace> places = [];
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals(name))
                continue;
            reader.Read();
            int first = (int)reader.TokenStartIndex;
            string value = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
            reader.Skip();
            int end = (int)reader.BytesConsumed;
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.EndObject or JsonTokenType.EndArray))
                value = Encoding.UTF8.GetString(current, start + first, end - first);
            places.Add(new SettingPlace(start + first, end - first, value));
        }

        return places;
    }

    private List<SettingPlace> FindInEnvironment(string name)
    {
        List<SettingPlace> places = [];
        foreach (EnvironmentSetting setting in EnvironmentText.Read(_text).Where(setting => setting.Name == name))
        {
            string value = _text[setting.Start..setting.End];
            if (setting.Commented && EnvironmentText.IsOpen(value))
                throw SettingsDoubtException.At(_text, setting.Start, "its value, which is commented out, may go on behind the line");
            places.Add(new SettingPlace(setting.Start, setting.End - setting.Start, FromLatin1(Unquoted(value.Trim())), setting.Commented));
        }

        return places;
    }

    private List<SettingPlace> FindInIni(string name)
    {
        Regex line = new(
            $@"^(?<indent>[ \t]*)(?<comment>[#;]+[ \t]*)?(?:export[ \t]+)?(?<quote>[""']?){Regex.Escape(Latin1(name))}\k<quote>[ \t]*[=:][ \t]*",
            RegexOptions.Multiline | RegexOptions.CultureInvariant | RegexOptions.IgnoreCase);
        List<SettingPlace> places = [];
        foreach (Match match in line.Matches(_text))
        {
            int start = match.Index + match.Length;
            if (places.Count > 0 && start < places[^1].Start + places[^1].Length)
                continue; // inside of the value before
            RequireSureIniValue(start);
            int end = EndOfIniValue(start, match.Groups["indent"].Length);
            places.Add(new SettingPlace(start, end - start, FromLatin1(Unquoted(_text[start..end].Trim())), match.Groups["comment"].Success));
        }

        return places;
    }

    /// <summary>Programs differ in whether a value in quotes or brackets may have several lines, and in continued lines.</summary>
    private void RequireSureIniValue(int start)
    {
        int end = EndOfLine(_text, start);
        string value = _text[start..end];
        bool properties = path.EndsWith(".properties", StringComparison.OrdinalIgnoreCase);
        if (OddLineEnd().IsMatch(value))
            throw SettingsDoubtException.At(_text, start, "its value holds a character that some programs take for the end of a line");
        if (EnvironmentText.IsOpen(value) || value.StartsWith("\"\"\"", StringComparison.Ordinal) || value.StartsWith("'''", StringComparison.Ordinal)
            || value.Contains("<<", StringComparison.Ordinal) || value.Count('{') != value.Count('}') || value.Count('[') != value.Count(']'))
            throw SettingsDoubtException.At(_text, start, "its value may go on behind the line (an open quote or bracket, or <<)");
        if (value.EndsWith('\\') && !properties)
            throw SettingsDoubtException.At(_text, start, "it ends with a backslash, so that the next line may or may not belong to its value");
    }

    private static string Unquoted(string value)
    {
        if (value.Length < 2 || value[0] is not ('"' or '\'' or '`'))
            return value;
        int end = value.LastIndexOf(value[0]);
        return end > 0 ? value[1..end] : value;
    }

    /// <summary>The end of the line without its line end.</summary>
    internal static int EndOfLine(string text, int at)
    {
        int end = text.IndexOf('\n', at);
        end = end < 0 ? text.Length : end;
        return end > at && text[end - 1] == '\r' ? end - 1 : end;
    }

    internal static int NextLine(string text, int at) => text.IndexOf('\n', at) is >= 0 and int end ? end + 1 : text.Length;

    private int StartOfLine(int at) => at == 0 ? 0 : _text.LastIndexOf('\n', at - 1) + 1;

    /// <summary>A backslash at a line's end goes on with the next line.</summary>
    private int EndOfContinuedLine(int start)
    {
        int end = EndOfLine(_text, start);
        while (end > start && _text[end - 1] == '\\' && NextLine(_text, end) < _text.Length)
            end = EndOfLine(_text, NextLine(_text, end));
        return end;
    }

    private int EndOfIniValue(int start, int indent)
    {
        int end = EndOfContinuedLine(start);
        for (int next = NextLine(_text, end); next < _text.Length; next = NextLine(_text, next))
        {
            int lineEnd = EndOfLine(_text, next), text = next;
            while (text < lineEnd && _text[text] is ' ' or '\t')
                text++;
            if (text == lineEnd || (_text[text] is '#' or ';' && text - next <= indent))
                continue; // an empty line or a comment is inside of the value if more of it follows
            if (text - next <= indent)
                break;
            end = lineEnd;
        }

        return end;
    }

    private static bool IsBareJson(string value) => BareJson().IsMatch(value);

    [GeneratedRegex(@"^(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)\z", RegexOptions.CultureInvariant)]
    private static partial Regex BareJson();

    /// <summary>Behind a name: what makes something of it its value.</summary>
    [GeneratedRegex(@"^(?:\\?[""'])?\]?[ \t]*[=:]>?[ \t]*\\?\S", RegexOptions.CultureInvariant)]
    private static partial Regex WithValue();

    [GeneratedRegex(@"^""[ \t]*:[ \t]*null\b", RegexOptions.CultureInvariant)]
    private static partial Regex EmptiedJson();

    [GeneratedRegex(@"^[""']?[ \t]*[=:][ \t]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Emptied();

    [GeneratedRegex(@"[\r\v\f\x1c-\x1e]|\xc2\x85|\xe2\x80[\xa8\xa9]", RegexOptions.CultureInvariant)]
    private static partial Regex OddLineEnd();

    [GeneratedRegex(@"^[A-Za-z0-9_./:@%+,-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex IsPlain();
}
