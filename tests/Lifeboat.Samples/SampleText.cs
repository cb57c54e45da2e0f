using System.Text;

namespace Lifeboat.Samples;

/// <summary>Words by chance, the same for the same seed: mostly what people write, now and then what programs stumble over.</summary>
internal sealed class SampleText(int seed)
{
    private const int AwkwardOnceIn = 40;

    private static readonly string[] s_words =
        ("the a of to and in that have it for not on with as you do at this but his by from they we say her she or an will my one all would there their what so up out if "
        + "about who get which go me when make can like time no just him know take people into year your good some could them see other than then now look only come its over "
        + "think also back after use two how our work first well way even new want because any these give day most us restore backup server answer question table row message "
        + "order invoice customer please thanks error file model token prompt context memory workflow meeting tomorrow yesterday payment delivery question").Split(' ');

    private static readonly string[] s_awkward =
    [
        "it's", "\"quoted\"", @"C:\new\table", "tab\there", "line\nend", "naïve", "日本語", "🛟", "NULL", @"\N", "$$", "%s", "; --", "{\"a\": [1]}", "<b>&amp;</b>", "Grüße", "e\u0301", "\\",
    ];

    private readonly Random _random = new(seed);

    public int Below(int bound) => _random.Next(bound);

    public double Fraction() => _random.NextDouble();

    /// <summary>Words of at least so many characters.</summary>
    public string Words(int length)
    {
        StringBuilder text = new(length + 16);
        while (text.Length < length)
        {
            if (text.Length > 0)
                text.Append(' ');
            text.Append(Below(AwkwardOnceIn) == 0 ? s_awkward[Below(s_awkward.Length)] : s_words[Below(s_words.Length)]);
        }

        return text.ToString();
    }

    /// <summary>One plain word.</summary>
    public string Word() => s_words[Below(s_words.Length)];

    /// <summary>A point in time in the year 2026, in UTC.</summary>
    public DateTime Moment() => new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(Below(365 * 24 * 3600)).AddMicroseconds(Below(1_000_000));

    /// <summary>Bytes that do not compress.</summary>
    public byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }
}
