from flask_wtf import FlaskForm
from wtforms import SelectField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, Length


class ReviewForm(FlaskForm):
    rating = SelectField(
        "Rating",
        coerce=int,
        choices=[(5, "★★★★★"), (4, "★★★★"), (3, "★★★"), (2, "★★"), (1, "★")],
    )
    text = TextAreaField("Your review", validators=[DataRequired(), Length(max=2000)])
    submit = SubmitField("Publish")
