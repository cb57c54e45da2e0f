using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Settings;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Sources.Settings;

/// <summary>What is left out of settings files is gone as a whole, and where that is not sure nothing is captured.</summary>
public sealed class SettingsRedactionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Ways to write a setting; N is its name, S a secret that needs no quotes, L one of several lines.</summary>
    private static readonly string[] s_environment =
    [
        "N=S", " N = S ", "export N=S", "N: S", "N:\tS # S", "N=\"S and S\"", "N='S # S'", "N=`S \"S\"`", "N=\"L\"", "N='L'", "N=`L` # S", "export N=\"S\\\"S\"",
        "# N=S", "#N: S", "; N=\"S\"", "N=S # it's S", "'N'=S", "N=S,'S'", "N=$(cat S)", "N=S\nN: S\nN=\"L\"", "N=\nN=S", "N=",
    ];

    private static readonly string[] s_ini =
    [
        "N = S", "name_x=S", "N: S", "N = S\n  S\n\n\tS", "N = S\n# a comment\n  S", "[x]\nN = 'S S'", "; N = S", "N = \"S\"; S", "N =\n  S\n  S\nother = 1", "N={S}",
    ];

    private static readonly string[] s_json =
    [
        "{\"N\": \"S\"}", "{\"a\": {\"N\": [\"S\", {\"b\": \"S\"}]}, \"N\": 12, // a comment\n \"c\": 1}", "{\"N\":\"\\u0053S\\n\\\"S\"}", "{\"\\u004e\": \"S\"}", "{\"a\": \"N is kept\", \"N\"\n:\n\"S\"}",
    ];

    [Theory]
    [InlineData(".env")]
    [InlineData("prod.env")]
    [InlineData("app.ini")]
    [InlineData("app.properties")]
    [InlineData("app.json")]
    public void No_piece_of_a_random_secret_is_left(string file)
    {
        Random random = new(file.Length);
        string[] forms = file.EndsWith(".json", StringComparison.Ordinal) ? s_json : file.EndsWith(".env", StringComparison.Ordinal) ? s_environment : s_ini;
        for (int round = 0; round < 400; round++)
        {
            List<string> secrets = [];
            string secret()
            {
                secrets.Add(string.Concat(Enumerable.Range(0, random.Next(6, 40)).Select(_ => "abcdefghijklmnopqrstuvwxyz0123456789_-./:@%+~!*&^"[random.Next(48)])).TrimEnd('!') + "zz");
                return secrets[^1];
            }

            StringBuilder text = new(file == "app.json" ? "" : "# first\nKEPT=1\n");
            foreach (string form in Enumerable.Range(0, file == "app.json" ? 1 : random.Next(1, 5)).Select(_ => forms[random.Next(forms.Length)]))
            {
                string filled = string.Join(secret(), form.Replace("L", "S\nS\n\nS", StringComparison.Ordinal).Split('S'));
                text.Append(filled.Replace("N", "NAME_X", StringComparison.Ordinal).Replace("u004e", "u004eAME_X", StringComparison.Ordinal)).Append('\n');
            }

            string written = (random.Next(2) == 0 ? "" : "\uFEFF") + text.ToString();
            written = random.Next(3) == 0 ? written.Replace("\n", "\r\n", StringComparison.Ordinal) : written;
            SettingsText made = new(file, Encoding.UTF8.GetBytes(written));
            Apply("NAME_X", made);
            string left = Encoding.UTF8.GetString(made.Bytes);
            foreach (string one in secrets)
                for (int at = 0; at + 6 <= one.Length; at++)
                    Assert.False(left.Contains(one.Substring(at, 6), StringComparison.Ordinal), $"{one} of\n{written}\nis in\n{left}");
            Assert.Equal(file != "app.json", left.Contains("KEPT=1", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(".env", "A=1\nNAME_X=\"open\nB=2", "line 2: its value begins with a quote that is never closed")]
    [InlineData(".env", "NAME_X=\"\"\"three\nlines\"\"\"", "line 1: its value begins with three quotes")]
    [InlineData(".env", "NAME_X=a\\\nb", "line 1: it ends with a backslash")]
    [InlineData(".env", "OTHER=a\\\nNAME_X=b", "line 1: it ends with a backslash")]
    [InlineData(".env", "NAME_X=\"a\"b\"c\n\"", "line 1: what stands behind the closing quote")]
    [InlineData(".env", "NAME_X='a\\'b\nc'", "line 1: a quote behind a backslash")]
    [InlineData(".env", "NAME_X=\"a\\\\\"\nb\"", "line 1: a quote behind a backslash")]
    [InlineData(".env", "NAME_X=a\"b\nc\"", "line 1: a quote, a parenthesis or <<")]
    [InlineData(".env", "NAME_X=$(cat <<EOF\nsecret\nEOF\n)", "line 1: a quote, a parenthesis or <<")]
    [InlineData(".env", "NAME_X=$(printf\nsecret)", "line 1: a quote, a parenthesis or <<")]
    [InlineData(".env", "OTHER=(a\nNAME_X=b\n)", "line 1: a quote, a parenthesis or <<")]
    [InlineData(".env", "\nNAME_X\n=\n\"secret\"", "line 3: it is neither empty, a comment, nor NAME=value")]
    [InlineData(".env", "NAME_X=\n\"secret\nmore\"", "line 2: it is neither empty, a comment, nor NAME=value")]
    [InlineData(".env", "setenv NAME_X secret", "line 1: it is neither empty, a comment, nor NAME=value")]
    [InlineData(".env", "set NAME_X=secret", "line 1: it is neither empty, a comment, nor NAME=value")]
    [InlineData(".env", "NAME_X:secret", "line 1: it is neither empty, a comment, nor NAME=value")]
    [InlineData(".env", "A=1\rNAME_X=2", "line 1: it holds a character that some programs take for the end of a line")]
    [InlineData(".env", "A=1\u2028NAME_X=2", "line 1: it holds a character")]
    [InlineData(".env", "NAME_X=1\nURL=https://h/?NAME_X=secret", "line 2: the name stands there with a value")]
    [InlineData(".env", "NAME_X=1\nC={\"NAME_X\":\"secret\"}", "line 2: the name stands there with a value")]
    [InlineData(".env", "NAME_X=1\nB=${NAME_X:-secret}", "line 2: the name stands there with a value")]
    [InlineData(".env", "NAME_X=1\nB=${NAME_X-secret}", "line 2: the name stands there with a value")]
    [InlineData(".env", "A=1 NAME_X=secret", "line 1: the name stands there with a value")]
    [InlineData(".env", "NAME_X=1\n# was NAME_X=secret", "line 2: the name stands there with a value")]
    [InlineData(".env", "NAME_X=1\n# NAME_X=\"secret\n# more\"", "line 2: its value, which is commented out, may go on")]
    [InlineData("a.ini", "NAME_X = \"open\nsecret\"", "line 1: its value may go on behind the line")]
    [InlineData("a.ini", "NAME_X = a\\\nsecret", "line 1: it ends with a backslash")]
    [InlineData("a.conf", "NAME_X = [ a\nsecret ]", "line 1: its value may go on behind the line")]
    [InlineData("a.conf", "NAME_X = \"\"\"a\nsecret\"\"\"", "line 1: its value may go on behind the line")]
    [InlineData("a.conf", "x = 1\nSetEnv NAME_X secret", "line 2: the name stands there, and not as NAME = value")]
    [InlineData("a.conf", "set $NAME_X secret;", "line 1: the name stands there, and not as NAME = value")]
    [InlineData("a.properties", "NAME_X secret", "line 1: the name stands there, and not as NAME = value")]
    [InlineData("a.ini", "x = 1\n\u00A0NAME_X = secret", "line 2: the name stands there with a value")]
    [InlineData("a.ini", "NAME_X = 1\nurl = http://h?name_x=secret", "line 2: the name stands there with a value")]
    [InlineData("a.json", "{\"NAME_X\": 1, // \"NAME_X\": \"secret\"\n \"a\": 2}", "line 1: the name stands there with a value")]
    [InlineData("a.json", "{\"a\": \"{\\\"NAME_X\\\": \\\"secret\\\"}\"}", "line 1: the name stands there with a value")]
    [InlineData("a.json", "{\"a\": \"NAME_X=secret\"}", "line 1: the name stands there with a value")]
    [InlineData("a.yaml", "NAME_X: secret", "where its value ends is known of .env, INI and JSON files alone")]
    public void What_programs_do_not_all_understand_alike_is_refused_with_its_line(string file, string text, string reason)
    {
        LifeboatException refused = Assert.Throws<LifeboatException>(() => Apply("NAME_X", new SettingsText(file, Encoding.UTF8.GetBytes(text)), new SettingsText("found.env", "NAME_X=1"u8.ToArray())));
        Assert.Equal([ErrorCodes.RedactRefused], refused.Problems.Select(static problem => problem.Code));
        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_in_two_bytes_a_letter_is_not_overlooked() => Assert.Throws<LifeboatException>(
        () => Apply("NAME_X", new SettingsText("a.env", Encoding.Unicode.GetBytes("NAME_X=secret")), new SettingsText("found.env", "NAME_X=1"u8.ToArray())));

    [Theory]
    [InlineData("A=it's\nOTHER=(")]
    [InlineData("A=1\rB=2\nNAME_XY=\"open")]
    public void A_file_without_the_name_may_hold_what_it_likes(string text)
    {
        SettingsText made = new("a.env", Encoding.UTF8.GetBytes(text));
        Apply("NAME_X", made, new SettingsText("found.env", "NAME_X=1"u8.ToArray()));
        Assert.Equal(text, Encoding.UTF8.GetString(made.Bytes));
    }

    [Theory]
    [InlineData(".env", "# NAME_X is for the API\nNAME_X=\nURL=https://$NAME_X@h/${NAME_X}\nB=\"a\nb\"\nexport NAME_X\nC=`d e` # f\n\n  D = 1")]
    [InlineData("a.ini", "# NAME_X is for the API\n[NAME]\nNAME_X = \nurl = %(NAME_X)s and NAME_X, too\n")]
    public void Harmless_mentions_are_kept(string file, string text)
    {
        SettingsText made = new(file, Encoding.UTF8.GetBytes(text.Replace("NAME_X=\n", "NAME_X=secret\n", StringComparison.Ordinal).Replace("NAME_X = \n", "NAME_X = secret\n", StringComparison.Ordinal)));
        Apply("NAME_X", made);
        Assert.Equal(text, Encoding.UTF8.GetString(made.Bytes));
    }

    private void Apply(string name, params SettingsText[] files) => new SettingsRedaction(
        new SettingsSettings("settings", "/app", [], []) { Redact = [name] }, new TestHost(_folder.Path).Context).Apply(files);
}
